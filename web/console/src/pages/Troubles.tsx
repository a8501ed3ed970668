import { Button } from "@mantine/core";
import { useState } from "react";
import { api } from "../api";
import { useList } from "../lib/data";
import { Busy } from "../parts/Busy";
import { Headline } from "../parts/Headline";
import { Trouble as Wrong } from "../parts/Trouble";
import { moment, say, trouble } from "../words";

interface Trouble {
  id: string;
  kind: string;
  about: string;
  because: string | null;
  at: string;
  can_retry: boolean;
  can_drop: boolean;
}

export default function Troubles() {
  const { items, error, busy, more, reload } = useList<Trouble>("/troubles?limit=50");
  const [problem, setProblem] = useState<string | null>(null);
  const doing = async (work: Promise<unknown>) => {
    setProblem(null);
    try {
      await work;
    } catch (failed) {
      setProblem(trouble(failed));
    }
    reload();
  };
  return (
    <>
      <Headline title={say.pages.troubles} about={say.troubles.about} />
      {(problem ?? error) && <Wrong text={problem ?? error ?? ""} again={reload} />}
      {busy && items.length === 0 && <Busy />}
      {!busy && !error && items.length === 0 && <p className="empty card">{say.today.fine}</p>}
      {items.length > 0 && (
        <ul className="card flush rows">
          {items.map((one) => (
            <li key={one.id}>
              <div className="what">
                <div>
                  {say.today.troubles[one.kind] ?? one.kind}: {one.about}
                </div>
                <div className="quiet small facts">
                  <span>{moment(one.at)}</span>
                  {one.because && <span>{one.because}</span>}
                </div>
              </div>
              <div className="acts">
                {one.can_retry && (
                  <Button
                    variant="default"
                    onClick={() => void doing(api.post(`/troubles/${one.id}/retry`))}
                  >
                    {say.troubles.retry}
                  </Button>
                )}
                {one.can_drop && (
                  <Button
                    variant="subtle"
                    color="red"
                    onClick={() => void doing(api.remove(`/troubles/${one.id}`))}
                  >
                    {say.troubles.drop}
                  </Button>
                )}
              </div>
            </li>
          ))}
        </ul>
      )}
      {more && (
        <Button variant="default" loading={busy} onClick={more}>
          {say.more}
        </Button>
      )}
    </>
  );
}
