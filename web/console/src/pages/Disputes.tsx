import { Badge, Button, NativeSelect, SegmentedControl } from "@mantine/core";
import { useState } from "react";
import { api } from "../api";
import { useList } from "../lib/data";
import { Busy } from "../parts/Busy";
import { Headline } from "../parts/Headline";
import { Trouble } from "../parts/Trouble";
import { moment, money, number, say, since, trouble, wall } from "../words";
import type { PaperLine } from "./model";
import "../styles/moderation.css";
import "../styles/disputes.css";

interface Side {
  member_id: string;
  showings: { receipt_id: string; at: string; came_as: string | null; status: string }[];
  points: number;
}

interface Proof {
  id: string;
  side: "claimant" | "holder";
  kind: string;
  given_at: string;
  serial: string | null;
  receipt_id: string | null;
  file: boolean;
  photo: "kept" | "coming" | "none";
}

interface Case {
  id: string;
  about: "receipt" | "pack" | "recheck";
  since: string;
  due_at: string;
  late: boolean;
  verified: boolean;
  outcome: string | null;
  decided_at: string | null;
  decided_by: string | null;
  claimant: Side;
  holder: Side | null;
  proofs: Proof[];
  gtin: string | null;
  serial: string | null;
  because: "gone" | "changed" | null;
  note: string | null;
  seller: { inn: string | null; name: string | null } | null;
  receipt: {
    wall_time: string | null;
    total_kopecks: number | null;
    address: string | null;
    lines: PaperLine[];
    lines_in_all: number;
  } | null;
}

/** Receipts and packs that two members say are theirs. */
export default function Disputes() {
  const [about, setAbout] = useState("receipt");
  const [decided, setDecided] = useState("false");
  const path = `/disputes?about=${about}&decided=${decided}`;
  const { items, error, busy, more, reload } = useList<Case>(path);
  return (
    <>
      <Headline title={say.pages.disputes} about={say.disputes.about} />
      <div className="sieve">
        <SegmentedControl
          aria-label={say.disputes.which}
          value={about}
          onChange={setAbout}
          data={[
            { value: "receipt", label: say.disputes.receipts },
            { value: "pack", label: say.disputes.packs },
            { value: "recheck", label: say.disputes.rechecks },
          ]}
        />
        <NativeSelect
          aria-label={say.disputes.state}
          value={decided}
          onChange={(event) => setDecided(event.currentTarget.value)}
          data={[
            { value: "false", label: say.disputes.waiting },
            { value: "true", label: say.disputes.decided },
          ]}
        />
      </div>
      {error && <Trouble text={error} again={reload} />}
      {busy && items.length === 0 && <Busy />}
      {!busy && !error && items.length === 0 && <p className="empty card">{say.disputes.none}</p>}
      <div className="disputes">
        {items.map((one) => (
          <DisputeCard key={one.id} dispute={one} done={reload} />
        ))}
      </div>
      {more && (
        <Button variant="default" loading={busy} onClick={more}>
          {say.more}
        </Button>
      )}
    </>
  );
}

function DisputeCard({ dispute, done }: { dispute: Case; done(): void }) {
  const [sure, setSure] = useState<"move" | "keep" | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const decide = async (move: boolean) => {
    setBusy(true);
    setProblem(null);
    try {
      await api.post(`/disputes/${dispute.id}/decision`, { move });
      done();
    } catch (failed) {
      setProblem(trouble(failed));
    } finally {
      setBusy(false);
      setSure(null);
    }
  };
  const words = dispute.about === "recheck" ? say.disputes.again : say.disputes;
  const title = dispute.receipt?.wall_time ? wall(dispute.receipt.wall_time) : dispute.serial;
  return (
    <section className="card dispute" aria-label={title ?? dispute.id}>
      <div className="facts small">
        <Badge variant="light" color={dispute.late ? "red" : "gray"}>
          {dispute.late ? say.moderation.late(since(dispute.since)) : since(dispute.since)}
        </Badge>
        {dispute.outcome ? (
          <span>
            {say.disputes.outcomes[dispute.outcome]}
            {dispute.decided_at && `, ${moment(dispute.decided_at)}`}
            {dispute.decided_by === "system" && `, ${say.disputes.bySystem}`}
          </span>
        ) : (
          <span className="quiet">{say.disputes.due(moment(dispute.due_at))}</span>
        )}
      </div>
      <h2>
        {dispute.about === "pack"
          ? say.disputes.pack(dispute.gtin ?? "", dispute.serial ?? "")
          : `${dispute.seller?.name ?? say.moderation.noSeller}, ${title ?? ""}`}
      </h2>
      {dispute.because && (
        <p className="note">
          {say.disputes.because[dispute.because]}
          {dispute.note && <span className="small quiet"> {dispute.note}</span>}
        </p>
      )}
      <div className="sides">
        {dispute.about !== "recheck" && (
          <SideOf
            name={say.disputes.holder}
            side={dispute.holder}
            proofs={dispute.proofs}
            which="holder"
            id={dispute.id}
          />
        )}
        <SideOf
          name={dispute.about === "recheck" ? say.disputes.whose : say.disputes.claimant}
          side={dispute.claimant}
          proofs={dispute.proofs}
          which="claimant"
          id={dispute.id}
        />
      </div>
      {dispute.receipt && <Paper receipt={dispute.receipt} />}
      {!dispute.outcome && !dispute.verified && (
        <p className="small note">{say.disputes.notVerified}</p>
      )}
      {problem && <Trouble text={problem} />}
      {!dispute.outcome && (
        <div className="acts">
          {sure === null ? (
            <>
              <Button variant="default" disabled={busy} onClick={() => setSure("keep")}>
                {words.keep}
              </Button>
              <Button disabled={busy || !dispute.verified} onClick={() => setSure("move")}>
                {words.move}
              </Button>
            </>
          ) : (
            <>
              <span>{sure === "move" ? words.moveSure : words.keepSure}</span>
              <Button loading={busy} onClick={() => void decide(sure === "move")}>
                {say.disputes.yes}
              </Button>
              <Button variant="default" disabled={busy} onClick={() => setSure(null)}>
                {say.cancel}
              </Button>
            </>
          )}
        </div>
      )}
    </section>
  );
}

interface SideProps {
  name: string;
  side: Side | null;
  proofs: Proof[];
  which: Proof["side"];
  id: string;
}

function SideOf({ name, side, proofs, which, id }: SideProps) {
  const given = proofs.filter((one) => one.side === which);
  return (
    <div>
      <h3>{name}</h3>
      {side === null && <p className="quiet">{say.disputes.nobody}</p>}
      {side && (
        <>
          <div className="small quiet member">{side.member_id}</div>
          <ul className="plain small">
            {side.showings.map((one) => (
              <li key={one.receipt_id}>
                {moment(one.at)}: {say.disputes.ways[one.came_as ?? ""] ?? say.disputes.wayUnknown}
              </li>
            ))}
            {side.points > 0 && <li>{say.disputes.points(number(side.points))}</li>}
          </ul>
        </>
      )}
      {given.length > 0 && (
        <ul className="plain proofs small">
          {given.map((one) => (
            <li key={one.id}>
              {say.disputes.proofs[one.kind] ?? one.kind}, {moment(one.given_at)}
              {one.serial && <span className="printed"> {one.serial}</span>}
              {one.photo === "coming" && <span className="quiet"> {say.disputes.coming}</span>}
              {one.photo === "kept" && (
                <a
                  href={`/v1/console/moderation/${one.receipt_id}/photo`}
                  target="_blank"
                  rel="noreferrer"
                >
                  {say.disputes.open}
                </a>
              )}
              {one.file && (
                <a
                  href={`/v1/console/disputes/${id}/proofs/${one.id}`}
                  target="_blank"
                  rel="noreferrer"
                >
                  {say.disputes.open}
                </a>
              )}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Paper({ receipt }: { receipt: NonNullable<Case["receipt"]> }) {
  return (
    <details className="paper">
      <summary>
        {say.moderation.receipt}
        {receipt.total_kopecks !== null && `: ${money(receipt.total_kopecks)}`}
      </summary>
      {receipt.address && <div className="small quiet">{receipt.address}</div>}
      <table>
        <tbody>
          {receipt.lines.map((one) => (
            <tr key={one.line}>
              <td>
                {one.name ?? say.moderation.nameless}
                {one.product_sku && <span className="small good"> {one.product_sku}</span>}
              </td>
              <td>{money(one.sum_kopecks)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {receipt.lines_in_all > receipt.lines.length && (
        <p className="small quiet">{say.moderation.partly(receipt.lines_in_all)}</p>
      )}
    </details>
  );
}
