import { Refused } from "@vezde/shared/http";
import { useCallback, useEffect, useState } from "react";
import { api } from "../api";
import { say, trouble } from "../words";
import { type Decided, keyOf, type Look, type Queue } from "./model";

export type Order = "age" | "value";

interface Undoable {
  id: string;
  lines: number;
}

/** The queue in hand: which line is looked at, deciding it, and undoing the last decisions. */
export function useQueue(order: Order, kind: string) {
  const [queue, setQueue] = useState<Queue | null>(null);
  const [at, setAt] = useState(0);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const [told, setTold] = useState("");
  const [done, setDone] = useState<Undoable[]>([]);
  const of = `/moderation?limit=30&order=${order}${kind ? `&kind=${kind}` : ""}`;

  const load = useCallback(async () => {
    try {
      const found = await api.get<Queue>(of);
      setQueue(found);
      setAt((place) => Math.max(0, Math.min(place, found.items.length - 1)));
    } catch (failed) {
      setError(trouble(failed));
    }
  }, [of]);
  const reload = useCallback(() => {
    setError(null);
    void load();
  }, [load]);
  useEffect(() => {
    setAt(0);
    reload();
  }, [reload]);

  const doing = useCallback(
    async (work: () => Promise<void>) => {
      setBusy(true);
      setError(null);
      try {
        await work();
      } catch (failed) {
        setError(meanwhile(failed) ?? trouble(failed));
      }
      await load(); // what was said of the deed stays to be read
      setBusy(false);
    },
    [load],
  );

  const decide = (look: Look, product_sku: string | null, alike: boolean) =>
    doing(async () => {
      const path = `/moderation/${look.receipt_id}/lines/${look.line}/decision`;
      const first = await api.post<Decided>(path, { turn: look.turn, product_sku, alike });
      let lines = first.lines;
      for (let left = alike && first.left; left; ) {
        const more = await api.post<Decided>(`/decisions/${first.decision_id}/alike`);
        lines += more.lines;
        setTold(say.moderation.decided(lines));
        left = more.left;
      }
      setDone((before) => [...before.slice(-49), { id: first.decision_id, lines }]);
      setTold(say.moderation.decided(lines));
      setQueue(
        (now) => now && { ...now, items: now.items.filter((one) => keyOf(one) !== keyOf(look)) },
      );
    });

  const undo = () => {
    const last = done.at(-1);
    if (!last) return;
    void doing(async () => {
      setDone((before) => before.slice(0, -1));
      let lines = 0;
      for (let left = true; left; ) {
        const back = await api.post<Decided>(`/decisions/${last.id}/undo`);
        lines += back.lines;
        left = back.left;
      }
      setTold(say.moderation.undone(lines));
    });
  };

  return {
    queue,
    look: queue?.items[at] ?? null,
    at,
    setAt,
    busy,
    error,
    told,
    decide,
    undo: done.length ? undo : null,
    reload,
  };
}

/** Who decided it meanwhile, and how; null for any other error. */
function meanwhile(error: unknown): string | null {
  if (!(error instanceof Refused) || error.code !== "line_changed") return null;
  const { decided_by, product_sku } = error.extra as {
    decided_by?: string;
    product_sku?: string | null;
  };
  return decided_by
    ? say.moderation.byColleague(decided_by, product_sku ?? say.moderation.notOurs)
    : say.moderation.changed;
}
