/** Texts with their entities as elements: nothing of a message is ever taken as HTML. */

import type { ReactNode } from "react";
import type { Entity } from "./model";

interface Props {
  text: string;
  entities?: readonly Entity[] | undefined;
  onCommand: (command: string) => void;
}

/** Offsets count UTF-16 units, as JavaScript's own do (core.telegram.org/bots/api#messageentity). */
export function Rich({ text, entities = [], onCommand }: Props) {
  const sorted = [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length);
  return <>{part(text, 0, text.length, sorted, onCommand)}</>;
}

function part(
  text: string,
  from: number,
  to: number,
  entities: readonly Entity[],
  onCommand: (command: string) => void,
): ReactNode[] {
  const shown: ReactNode[] = [];
  let at = from;
  let rest = entities;
  while (rest.length > 0) {
    const [first, ...others] = rest as [Entity, ...Entity[]];
    const end = Math.min(first.offset + first.length, to);
    if (first.offset > at) shown.push(text.slice(at, first.offset));
    const inside = others.filter((one) => one.offset < end);
    rest = others.filter((one) => one.offset >= end);
    const content = part(text, first.offset, end, inside, onCommand);
    shown.push(
      <Marked
        key={`${first.offset}:${first.type}`}
        entity={first}
        onCommand={onCommand}
        plain={text.slice(first.offset, end)}
      >
        {content}
      </Marked>,
    );
    at = end;
  }
  if (at < to) shown.push(text.slice(at, to));
  return shown;
}

function Marked(props: {
  entity: Entity;
  plain: string;
  children: ReactNode;
  onCommand: (command: string) => void;
}) {
  const { entity, plain, children } = props;
  switch (entity.type) {
    case "bold":
      return <strong>{children}</strong>;
    case "italic":
      return <em>{children}</em>;
    case "underline":
      return <u>{children}</u>;
    case "strikethrough":
      return <s>{children}</s>;
    case "spoiler":
      return <span className="spoiler">{children}</span>;
    case "code":
      return <code>{children}</code>;
    case "pre":
      return <pre>{children}</pre>;
    case "blockquote":
      return <blockquote>{children}</blockquote>;
    case "bot_command":
      return (
        <button type="button" className="command" onClick={() => props.onCommand(plain)}>
          {children}
        </button>
      );
    case "text_link":
      return <Link to={entity.url ?? ""}>{children}</Link>;
    case "url":
      return <Link to={plain}>{children}</Link>;
    case "email":
      return <a href={`mailto:${plain}`}>{children}</a>;
    default:
      return <>{children}</>;
  }
}

/** Only to web addresses; anything else stays plain text. */
export function Link({
  to,
  children,
  className,
}: {
  to: string;
  children: ReactNode;
  className?: string;
}) {
  if (!/^https?:\/\//i.test(to)) return <>{children}</>;
  return (
    <a href={to} target="_blank" rel="noreferrer noopener" className={className}>
      {children}
    </a>
  );
}
