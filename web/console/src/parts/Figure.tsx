import { Button, Skeleton } from "@mantine/core";
import { lazy, Suspense, useState } from "react";
import { number, say } from "../words";

const Chart = lazy(() => import("./Chart"));

export interface Series {
  name: string;
  /** A custom property of CSS. */
  colour: string;
  values: number[];
}

interface Props {
  title: string;
  labels: string[];
  series: Series[];
  kind: "bar" | "line";
}

/** Numbers by day: as a chart, or as a table for whoever wants to read them or cannot see it. */
export function Figure({ title, labels, series, kind }: Props) {
  const [table, setTable] = useState(false);
  const empty = series.every((one) => one.values.every((value) => value === 0));
  return (
    <figure className="card">
      <figcaption>
        <h2>{title}</h2>
        <Button
          variant="subtle"
          size="compact-sm"
          aria-pressed={table}
          onClick={() => setTable(!table)}
        >
          {table ? say.today.asChart : say.today.asTable}
        </Button>
      </figcaption>
      {empty && !table ? (
        <p className="empty">{say.today.nothing}</p>
      ) : table ? (
        <Numbers labels={labels} series={series} />
      ) : (
        <Suspense fallback={<Skeleton height={230} />}>
          <Chart labels={labels} series={series} kind={kind} />
        </Suspense>
      )}
    </figure>
  );
}

function Numbers({ labels, series }: { labels: string[]; series: Series[] }) {
  return (
    <div className="numbers">
      <table>
        <thead>
          <tr>
            <th scope="col">{say.today.day}</th>
            {series.map((one) => (
              <th key={one.name} scope="col">
                {one.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {labels
            .map((label, place) => (
              <tr key={label}>
                <th scope="row">{label}</th>
                {series.map((one) => (
                  <td key={one.name}>{number(one.values[place] ?? 0)}</td>
                ))}
              </tr>
            ))
            .reverse()}
        </tbody>
      </table>
    </div>
  );
}
