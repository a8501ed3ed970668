import { Anchor, Badge, SegmentedControl } from "@mantine/core";
import { type ReactNode, useMemo, useState } from "react";
import { ROOT } from "../api";
import { useData } from "../lib/data";
import { useSession } from "../lib/session";
import { Busy } from "../parts/Busy";
import { Figure } from "../parts/Figure";
import { Headline } from "../parts/Headline";
import { Trouble } from "../parts/Trouble";
import { locale, money, number, say, shortDay, since } from "../words";
import "../styles/today.css";
import type { Figures, Open, PlaceSum } from "./figures";

const STATUSES: [string, string][] = [
  ["accepted", "--chart-good"],
  ["in_review", "--chart-soon"],
  ["awaiting_settlement", "--chart-calm"],
  ["checking", "--chart-faint"],
  ["rejected", "--chart-late"],
];

export default function Today() {
  const [days, setDays] = useState("28");
  const { data, error, reload } = useData<Figures>(`/today?days=${days}`);
  return (
    <>
      <Headline title={say.pages.today} about={say.today.about}>
        <SegmentedControl
          aria-label={say.today.period}
          value={days}
          onChange={setDays}
          data={[
            { value: "7", label: say.today.week },
            { value: "28", label: say.today.month },
            { value: "91", label: say.today.quarter },
          ]}
        />
      </Headline>
      {error && <Trouble text={error} again={reload} />}
      {!data && !error && <Busy />}
      {data && <Board data={data} />}
    </>
  );
}

function Board({ data }: { data: Figures }) {
  const labels = useMemo(() => data.days.map((one) => shortDay(one.day)), [data]);
  const today = data.days.at(-1);
  const receipts = useMemo(
    () =>
      STATUSES.map(([status, colour]) => ({
        name: say.today.statuses[status] ?? status,
        colour,
        values: data.days.map((one) => one.receipts[status] ?? 0),
      })),
    [data],
  );
  const points = useMemo(
    () => [
      {
        name: say.today.accrued,
        colour: "--chart-main",
        values: data.days.map((one) => one.accrued),
      },
      { name: say.today.spent, colour: "--chart-soon", values: data.days.map((one) => one.spent) },
      {
        name: say.today.expired,
        colour: "--chart-faint",
        values: data.days.map((one) => one.expired),
      },
    ],
    [data],
  );
  const members = useMemo(
    () => [
      {
        name: say.today.members,
        colour: "--chart-main",
        values: data.days.map((one) => one.members),
      },
    ],
    [data],
  );
  const came = today ? Object.values(today.receipts).reduce((sum, one) => sum + one, 0) : 0;
  return (
    <>
      <div className="tiles">
        <Tile name={say.today.tiles.members} value={number(today?.members ?? 0)} />
        <Tile name={say.today.tiles.receipts} value={number(came)} />
        <Tile name={say.today.tiles.points} value={number(today?.accrued ?? 0)} />
      </div>
      <div className="tiles">
        <Waiting
          name={say.today.tiles.waiting}
          count={data.waiting.lines}
          text={lines(data.waiting)}
          late={data.waiting.late}
          page="moderation"
        />
        <Waiting
          name={say.today.tiles.held}
          count={data.held.number}
          text={cases(data.held)}
          late={data.held.late}
          page="quarantine"
        />
        <Waiting
          name={say.today.tiles.disputes}
          count={data.disputes.number}
          text={cases(data.disputes)}
          late={data.disputes.late}
          page="disputes"
        />
        <Wrong troubles={data.troubles} />
      </div>
      <Figure title={say.today.receipts} labels={labels} series={receipts} kind="bar" />
      <div className="pair">
        <Figure title={say.today.points} labels={labels} series={points} kind="line" />
        <Figure title={say.today.members} labels={labels} series={members} kind="bar" />
      </div>
      <div className="pair">
        <Places title={say.today.channels} rows={data.channels} names={say.sellers.channels} />
        <Places title={say.today.shops} rows={data.shops} names={{}} />
      </div>
      <div className="pair">
        <Sources rows={data.sources} />
        <Providers rows={data.providers} />
      </div>
      <p>
        <Anchor href={`${ROOT}/letter.html?locale=${locale}`} target="_blank" rel="noreferrer">
          {say.today.letter}
        </Anchor>
      </p>
    </>
  );
}

function Tile({ name, value, children }: { name: string; value: string; children?: ReactNode }) {
  return (
    <div className="card tile">
      <div className="quiet small">{name}</div>
      <div className="value">{value}</div>
      {children}
    </div>
  );
}

interface WaitingProps {
  name: string;
  count: number;
  text: string;
  late: boolean;
  page: string;
}

/** A queue, and the way to it for whoever may decide. */
function Waiting({ name, count, text, late, page }: WaitingProps) {
  const mine = useSession().operator.rights.includes("moderate");
  return (
    <Tile name={name} value={number(count)}>
      {text && <div className={`small ${late ? "late" : "quiet"}`}>{text}</div>}
      {mine && count > 0 && (
        <Anchor href={`#/${page}`} size="sm" aria-label={`${say.today.decide}: ${name}`}>
          {say.today.decide}
        </Anchor>
      )}
    </Tile>
  );
}

function lines({ since: oldest, late }: Figures["waiting"]) {
  if (!oldest) return "";
  return late ? say.moderation.late(since(oldest)) : say.today.oldest(since(oldest));
}

function cases({ since: oldest, late }: Open) {
  if (!oldest) return "";
  return late ? say.today.overdueCase(since(oldest)) : say.today.oldestCase(since(oldest));
}

function Wrong({ troubles }: { troubles: Record<string, number> }) {
  const found = Object.entries(troubles).filter(([, count]) => count > 0);
  const all = found.reduce((sum, [, count]) => sum + count, 0);
  return (
    <Tile name={say.pages.troubles} value={number(all)}>
      {found.map(([kind, count]) => (
        <div key={kind} className="small late">
          {say.today.troubles[kind] ?? kind}: {number(count)}
        </div>
      ))}
      {all === 0 && <div className="small quiet">{say.today.fine}</div>}
    </Tile>
  );
}

interface PlacesProps {
  title: string;
  rows: PlaceSum[];
  names: Record<string, string>;
}

function Places({ title, rows, names }: PlacesProps) {
  return (
    <Table title={title} heads={[say.today.place, say.today.receiptsShort, say.today.sum]}>
      {rows.slice(0, 12).map((one) => (
        <tr key={one.name}>
          <th scope="row">{(names[one.name] ?? one.name) || say.today.unknownPlace}</th>
          <td>{number(one.receipts)}</td>
          <td>{money(one.total_kopecks)}</td>
        </tr>
      ))}
    </Table>
  );
}

function Sources({ rows }: { rows: Figures["sources"] }) {
  return (
    <Table
      title={say.today.sources}
      heads={[say.today.source, say.today.scans, say.today.enrolled, say.today.accepted]}
    >
      {rows.map((one) => (
        <tr key={`${one.source} ${one.campaign}`}>
          <th scope="row">
            {one.source}
            {one.campaign && <span className="quiet"> · {one.campaign}</span>}
          </th>
          <td>{number(one.scans)}</td>
          <td>{number(one.enrolled)}</td>
          <td>{number(one.accepted)}</td>
        </tr>
      ))}
    </Table>
  );
}

function Providers({ rows }: { rows: Figures["providers"] }) {
  return (
    <Table
      title={say.today.providers}
      heads={[say.today.provider, say.today.asked, say.today.left]}
    >
      {rows.map((one) => (
        <tr key={one.name}>
          <th scope="row">
            {one.name}{" "}
            {one.status !== "working" && (
              <Badge color={one.status === "paused" ? "red" : "yellow"} variant="light">
                {say.today.provided[one.status] ?? one.status}
              </Badge>
            )}
          </th>
          <td>{number(one.today.asked)}</td>
          <td>{one.left === null ? "∞" : number(one.left)}</td>
        </tr>
      ))}
    </Table>
  );
}

interface TableProps {
  title: string;
  heads: string[];
  children: ReactNode[];
}

function Table({ title, heads, children }: TableProps) {
  return (
    <section className="card">
      <h2>{title}</h2>
      {children.length === 0 ? (
        <p className="quiet small">{say.today.nothing}</p>
      ) : (
        <table className="sums">
          <thead>
            <tr>
              {heads.map((one) => (
                <th key={one} scope="col">
                  {one}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>{children}</tbody>
        </table>
      )}
    </section>
  );
}
