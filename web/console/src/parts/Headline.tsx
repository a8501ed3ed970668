import type { ReactNode } from "react";

interface Props {
  title: string;
  about?: string;
  children?: ReactNode;
}

/** A page's title, what it is for, and what can be done there. */
export function Headline({ title, about, children }: Props) {
  return (
    <div className="headline">
      <div>
        <h1>{title}</h1>
        {about && <p className="quiet">{about}</p>}
      </div>
      {children}
    </div>
  );
}
