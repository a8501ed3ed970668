import { Badge, Button, Group, Modal, Textarea } from "@mantine/core";
import { useState } from "react";
import { api } from "../api";
import { useList } from "../lib/data";
import { Busy } from "../parts/Busy";
import { Headline } from "../parts/Headline";
import { Trouble } from "../parts/Trouble";
import { locale, moment, money, number, say, trouble, wall } from "../words";
import "../styles/moderation.css";
import "../styles/quarantine.css";
import type { Look } from "./model";
import { Photo } from "./moderation/Photo";

interface Reason {
  signal: string;
  score: number;
  text: string;
  text_en: string;
}

interface Held {
  receipt_id: string;
  score: number;
  reasons: Reason[];
  held_at: string;
  due_at: string;
  late: boolean;
  seller: { inn: string | null; name: string | null } | null;
  address: string | null;
  wall_time: string | null;
  registered_at: string;
  total_kopecks: number | null;
  photo: Look["photo"];
  lines: { line: number; name: string | null; sum_kopecks: number; product_sku: string | null }[];
}

interface Ended {
  status: string;
  points: number;
}

/** Receipts that signals hold: why, and two ways out. */
export default function Quarantine() {
  const { items, error, busy, more, reload } = useList<Held>("/quarantine?limit=20");
  const [told, setTold] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const [working, setWorking] = useState<string | null>(null);
  const [declining, setDeclining] = useState<Held | null>(null);

  const end = async (held: Held, way: "release" | "decline", note: string) => {
    setWorking(held.receipt_id);
    setProblem(null);
    try {
      const path = `/quarantine/${held.receipt_id}/${way}`;
      const ended = await api.post<Ended>(path, { note });
      const { released, declined } = say.quarantine;
      setTold(way === "decline" ? declined : released(number(ended.points), ended.status));
      setDeclining(null);
    } catch (failed) {
      setProblem(trouble(failed));
    } finally {
      setWorking(null);
      reload();
    }
  };

  return (
    <>
      <Headline title={say.pages.quarantine} about={say.quarantine.about} />
      <span className="quiet" role="status">
        {told}
      </span>
      {(problem ?? error) && <Trouble text={problem ?? error ?? ""} again={reload} />}
      {busy && items.length === 0 && <Busy />}
      {!busy && !error && items.length === 0 && <p className="empty card">{say.quarantine.none}</p>}
      <ul className="held">
        {items.map((one) => (
          <Card
            key={one.receipt_id}
            held={one}
            busy={working === one.receipt_id}
            release={() => void end(one, "release", "")}
            decline={() => setDeclining(one)}
          />
        ))}
      </ul>
      {more && (
        <Button variant="default" loading={busy} onClick={more}>
          {say.more}
        </Button>
      )}
      {declining && (
        <Declining
          busy={working !== null}
          close={() => setDeclining(null)}
          decline={(note) => void end(declining, "decline", note)}
        />
      )}
    </>
  );
}

interface CardProps {
  held: Held;
  busy: boolean;
  release(): void;
  decline(): void;
}

function Card({ held, busy, release, decline }: CardProps) {
  return (
    <li className="card paper">
      <div className="heading">
        <h2>{held.seller?.name ?? say.moderation.noSeller}</h2>
        <Badge color="orange" variant="light">
          {say.quarantine.score(number(held.score))}
        </Badge>
      </div>
      <div className="small quiet">
        {held.seller?.inn && (
          <a href={`#/sellers?inn=${held.seller.inn}`}>
            {say.moderation.inn} {held.seller.inn}
          </a>
        )}
        {held.address && <div>{held.address}</div>}
        {held.wall_time && <div>{say.quarantine.bought(wall(held.wall_time))}</div>}
        <div>{say.quarantine.shown(moment(held.registered_at))}</div>
        <div className={held.late ? "late" : ""}>{say.quarantine.due(moment(held.due_at))}</div>
      </div>
      <ul className="reasons">
        {held.reasons.map((one) => (
          <li key={one.signal}>
            <span>{locale === "en" ? one.text_en : one.text}</span>
            <span className="score">+{number(one.score)}</span>
          </li>
        ))}
      </ul>
      <table>
        <tbody>
          {held.lines.map((one) => (
            <tr key={one.line}>
              <td>
                {one.name ?? say.moderation.nameless}
                {one.product_sku && <span className="small good"> {one.product_sku}</span>}
              </td>
              <td>{money(one.sum_kopecks)}</td>
            </tr>
          ))}
        </tbody>
        {held.total_kopecks !== null && (
          <tfoot>
            <tr>
              <th scope="row">{say.moderation.total}</th>
              <td>{money(held.total_kopecks)}</td>
            </tr>
          </tfoot>
        )}
      </table>
      <Photo look={held} />
      <div className="acts">
        <Button loading={busy} onClick={release}>
          {say.quarantine.release}
        </Button>
        <Button variant="default" disabled={busy} onClick={decline}>
          {say.quarantine.decline}
        </Button>
      </div>
    </li>
  );
}

interface DecliningProps {
  busy: boolean;
  close(): void;
  decline(note: string): void;
}

function Declining({ busy, close, decline }: DecliningProps) {
  const [note, setNote] = useState("");
  return (
    <Modal
      opened
      onClose={close}
      title={say.quarantine.declining}
      closeButtonProps={{ "aria-label": say.close }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          decline(note);
        }}
      >
        <Textarea
          label={say.quarantine.note}
          description={say.quarantine.noteHint}
          value={note}
          maxLength={500}
          autosize
          minRows={2}
          required
          data-autofocus
          onChange={(event) => setNote(event.currentTarget.value)}
        />
        <Group justify="flex-end" mt="md">
          <Button variant="default" onClick={close}>
            {say.cancel}
          </Button>
          <Button type="submit" color="red" loading={busy} disabled={!note.trim()}>
            {say.quarantine.decline}
          </Button>
        </Group>
      </form>
    </Modal>
  );
}
