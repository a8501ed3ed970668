import { useCallback, useEffect, useRef, useState } from "react";
import { api, type PageOf } from "../api";
import { trouble } from "../words";

export interface Loaded<T> {
  data: T | null;
  /** In words; null while all is well. */
  error: string | null;
  busy: boolean;
  reload(): void;
}

/** What a route answers; asked again when the path changes or `reload` is called. */
export function useData<T>(path: string): Loaded<T> {
  const [data, setData] = useState<T | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(true);
  const [turn, setTurn] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `turn` asks again
  useEffect(() => {
    let left = false;
    setBusy(true);
    api
      .get<T>(path)
      .then(
        (found) => {
          if (left) return;
          setData(found);
          setError(null);
        },
        (failed) => !left && setError(trouble(failed)),
      )
      .finally(() => !left && setBusy(false));
    return () => {
      left = true;
    };
  }, [path, turn]);

  return { data, error, busy, reload: useCallback(() => setTurn((one) => one + 1), []) };
}

export interface Listed<T> {
  items: T[];
  error: string | null;
  busy: boolean;
  more: (() => void) | null;
  reload(): void;
}

/** A list by cursor, page after page; `path` without a cursor, with its question mark. */
export function useList<T>(path: string): Listed<T> {
  const [items, setItems] = useState<T[]>([]);
  const [next, setNext] = useState<string | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(true);
  const current = useRef("");

  const load = useCallback(async (from: string, cursor: string | null) => {
    setBusy(true);
    try {
      const more = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
      const found = await api.get<PageOf<T>>(`${from}${more}`);
      if (current.current !== from) return;
      setItems((before) => (cursor ? [...before, ...found.items] : found.items));
      setNext(found.next_cursor);
      setError(null);
    } catch (failed) {
      if (current.current === from) setError(trouble(failed));
    } finally {
      if (current.current === from) setBusy(false);
    }
  }, []);

  useEffect(() => {
    current.current = path;
    void load(path, null);
  }, [path, load]);

  return {
    items,
    error,
    busy,
    more: next ? () => void load(path, next) : null,
    reload: () => void load(path, null),
  };
}
