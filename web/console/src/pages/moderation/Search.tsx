import { Loader, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import { useData } from "../../lib/data";
import { say } from "../../words";
import type { Product } from "../model";

interface Props {
  first: string;
  choose(sku: string): void;
  close(): void;
}

/** Any product, by words of its name, SKU or barcode. */
export function Search({ first, choose, close }: Props) {
  const [text, setText] = useState("");
  const [asked] = useDebouncedValue(text, 200);
  const { data, error, busy } = useData<{ items: Product[] }>(
    `/products?q=${encodeURIComponent(asked || first)}`,
  );
  return (
    <div className="search">
      <TextInput
        label={say.moderation.search}
        autoFocus
        value={text}
        rightSection={busy ? <Loader size="xs" /> : null}
        error={error}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") close();
          const only = data?.items[0];
          if (event.key === "Enter" && only && asked === text) choose(only.sku);
        }}
      />
      <ul className="found">
        {(data?.items ?? []).map((one) => (
          <li key={one.sku}>
            <button type="button" className="guess" onClick={() => choose(one.sku)}>
              <span className="what">
                <span>{one.name}</span>
                <span className="small quiet facts">
                  <span>{one.sku}</span>
                  {one.size && <span>{one.size}</span>}
                  {one.shade && <span>{one.shade}</span>}
                </span>
              </span>
            </button>
          </li>
        ))}
        {data?.items.length === 0 && <li className="quiet">{say.moderation.nothing}</li>}
      </ul>
    </div>
  );
}
