import { Button } from "@mantine/core";
import { type CSSProperties, useState } from "react";
import { ROOT } from "../../api";
import { say } from "../../words";
import type { Look } from "../model";

const ZOOMS = [1, 1.5, 2.5, 4];

/** The receipt as it was photographed, to be looked at closely and the right way up. */
export function Photo({ look }: { look: Pick<Look, "receipt_id" | "photo"> }) {
  const [lost, setLost] = useState(false);
  if (look.photo === "coming") return <p className="small quiet">{say.moderation.photoComing}</p>;
  if (look.photo === "none") return <p className="small quiet">{say.moderation.noPhoto}</p>;
  if (lost) return <p className="small quiet">{say.moderation.photoLost}</p>;
  const from = `${ROOT}/moderation/${encodeURIComponent(look.receipt_id)}/photo`;
  return <Sheet from={from} fail={() => setLost(true)} />;
}

function Sheet({ from, fail }: { from: string; fail(): void }) {
  const [turns, setTurns] = useState(0);
  const [closer, setCloser] = useState(0);
  const [size, setSize] = useState({ width: 3, height: 4 });
  const zoom = ZOOMS[closer] ?? 1;
  const lies = turns % 2 === 1;
  const { width, height } = size;
  const sheet: CSSProperties = {
    width: `${zoom * 100}%`,
    aspectRatio: lies ? `${height} / ${width}` : `${width} / ${height}`,
  };
  const picture: CSSProperties = {
    width: lies ? `${(100 * width) / height}%` : "100%",
    transform: `translate(-50%, -50%) rotate(${turns * 90}deg)`,
  };
  return (
    <figure className="photo">
      <section
        className={closer ? "window closer" : "window"}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it is scrolled by the arrow keys
        tabIndex={0}
        aria-label={say.moderation.photo}
      >
        <div className="sheet" style={sheet}>
          <img
            src={from}
            alt={say.moderation.photo}
            style={picture}
            onError={fail}
            onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) =>
              setSize({ width: naturalWidth, height: naturalHeight })
            }
          />
        </div>
      </section>
      <figcaption className="acts">
        <Button
          variant="default"
          size="compact-md"
          disabled={closer === 0}
          aria-label={say.moderation.zoomOut}
          onClick={() => setCloser(closer - 1)}
        >
          −
        </Button>
        <Button
          variant="default"
          size="compact-md"
          disabled={closer === ZOOMS.length - 1}
          aria-label={say.moderation.zoomIn}
          onClick={() => setCloser(closer + 1)}
        >
          +
        </Button>
        <Button variant="default" size="compact-md" onClick={() => setTurns((turns + 1) % 4)}>
          {say.moderation.turn}
        </Button>
      </figcaption>
    </figure>
  );
}
