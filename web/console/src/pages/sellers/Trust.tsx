import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useState } from "react";
import { api } from "../../api";
import { Trouble } from "../../parts/Trouble";
import { say, trouble } from "../../words";
import type { Seller, Stance } from "../model";

export const STANCES: Stance[] = ["trusted", "watched", "blocked"];

/** What is thought of a shop: trusted, watched, blocked or nothing in particular. */
export function Trust({ seller, judged }: { seller: Seller; judged(): void }) {
  const [stance, setStance] = useState<string>(seller.stance ?? "");
  const [note, setNote] = useState(seller.stance_note ?? "");
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const changed = stance !== (seller.stance ?? "");
  const save = async () => {
    setBusy(true);
    setProblem(null);
    try {
      await api.put(`/sellers/${seller.inn}/stance`, { stance: stance || null, note });
      judged();
    } catch (failed) {
      setProblem(trouble(failed));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      className="seller trust"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <NativeSelect
        label={say.sellers.trust}
        description={say.sellers.trustMeans[stance || "none"]}
        data={[
          { value: "", label: say.sellers.stances.none },
          ...STANCES.map((one) => ({ value: one, label: say.sellers.stances[one] })),
        ]}
        value={stance}
        onChange={(event) => setStance(event.currentTarget.value)}
      />
      {(changed || note) && (
        <TextInput
          label={say.sellers.why}
          value={note}
          maxLength={500}
          readOnly={!changed}
          onChange={(event) => setNote(event.currentTarget.value)}
        />
      )}
      {changed && (
        <Button type="submit" variant="default" loading={busy}>
          {say.save}
        </Button>
      )}
      {problem && <Trouble text={problem} />}
    </form>
  );
}
