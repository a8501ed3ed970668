import { Badge, Button, Kbd } from "@mantine/core";
import { money, number, say, since, wall } from "../../words";
import type { Guess, Look, PaperLine } from "../model";
import { Photo } from "./Photo";
import { Search } from "./Search";

interface Props {
  look: Look;
  busy: boolean;
  choose(sku: string | null): void;
  alike: boolean;
  setAlike(on: boolean): void;
  searching: boolean;
  search(on: boolean): void;
}

/** A line with its receipt beside it, what it may be, and the ways to say so. */
export function LookCard({ look, busy, choose, alike, setAlike, searching, search }: Props) {
  const unknown = look.seller.kind === null || look.seller.kind === "other";
  return (
    <section className="look" aria-label={look.printed}>
      <div className="card">
        <div className="facts small">
          <Badge variant="light" color={look.late ? "red" : "gray"}>
            {look.late ? say.moderation.late(since(look.since)) : since(look.since)}
          </Badge>
          {look.kind !== "doubt" && (
            <Badge variant="light">{say.moderation.kinds[look.kind]}</Badge>
          )}
        </div>
        <h2 className="printed big">{look.printed || say.moderation.nameless}</h2>
        <p className="quiet">
          {number(look.quantity)} × {money(Math.round(look.sum_kopecks / (look.quantity || 1)))} ={" "}
          {money(look.sum_kopecks)}, {look.seller.name ?? say.moderation.noSeller}
          {unknown && look.seller.inn && (
            <>
              {" "}
              <a href={`#/sellers?inn=${look.seller.inn}`}>{say.moderation.nameSeller}</a>
            </>
          )}
        </p>
        {look.line_certain && <p className="small note">{say.moderation.lineCertain}</p>}
        {look.kind !== "doubt" && <p className="small note">{say.moderation.paid[look.kind]}</p>}
        <ol className="guesses">
          {look.guesses.map((one, place) => (
            <li key={one.product_sku}>
              <GuessButton
                guess={one}
                digit={place + 1}
                accepted={one.product_sku === look.accepted_sku}
                disabled={busy}
                choose={() => choose(one.product_sku)}
              />
            </li>
          ))}
        </ol>
        <div className="acts">
          <Button
            variant="default"
            disabled={busy}
            rightSection={<Kbd>n</Kbd>}
            onClick={() => choose(null)}
          >
            {say.moderation.notOurs}
          </Button>
          <Button
            variant="default"
            disabled={busy}
            rightSection={<Kbd>/</Kbd>}
            onClick={() => search(!searching)}
          >
            {say.moderation.other}
          </Button>
        </div>
        {look.alike > 1 && (
          <label className="alike">
            <input
              type="checkbox"
              checked={alike}
              onChange={(event) => setAlike(event.currentTarget.checked)}
            />
            {say.moderation.allAlike(look.alike)}
          </label>
        )}
        {searching && <Search choose={choose} close={() => search(false)} first={look.printed} />}
      </div>
      <Paper look={look} />
    </section>
  );
}

interface GuessProps {
  guess: Guess;
  digit: number;
  accepted: boolean;
  disabled: boolean;
  choose(): void;
}

function GuessButton({ guess, digit, accepted, disabled, choose }: GuessProps) {
  const sized = guess.size_agrees;
  return (
    <button type="button" className="guess" disabled={disabled} onClick={choose}>
      <Kbd>{digit}</Kbd>
      <span className="what">
        <span>{guess.name}</span>
        <span className="small quiet facts">
          <span>{guess.product_sku}</span>
          {guess.size && (
            <span className={sized === false ? "late" : sized ? "good" : ""}>
              {guess.size}
              {sized === false && ` ${say.moderation.sizeDiffers}`}
              {sized === null && ` ${say.moderation.sizeUnsaid}`}
            </span>
          )}
          {guess.shade && <span>{guess.shade}</span>}
          {guess.price_kopecks !== null && <span>{money(guess.price_kopecks)}</span>}
        </span>
        <span className="small facts">
          {guess.agrees.length > 0 && (
            <span className="good">
              {say.moderation.agrees} {guess.agrees.join(", ")}
            </span>
          )}
          {guess.lacks.length > 0 && (
            <span className="quiet">
              {say.moderation.lacks} {guess.lacks.join(", ")}
            </span>
          )}
        </span>
      </span>
      <span className="score">
        {accepted ? say.moderation.accepted : `${number(Math.round(guess.score * 100))} %`}
      </span>
    </button>
  );
}

function Paper({ look }: { look: Look }) {
  const { receipt, seller } = look;
  return (
    <div className="card paper">
      <h3>{say.moderation.receipt}</h3>
      <div className="small quiet">
        {seller.name ?? say.moderation.noSeller}
        {seller.inn && `, ${say.moderation.inn} ${seller.inn}`}
        {receipt.address && <div>{receipt.address}</div>}
        {receipt.wall_time && <div>{wall(receipt.wall_time)}</div>}
      </div>
      <table>
        <tbody>
          {receipt.lines.map((one) => (
            <Line key={one.line} line={one} here={one.line === look.line} />
          ))}
        </tbody>
        {receipt.total_kopecks !== null && (
          <tfoot>
            <tr>
              <th scope="row">{say.moderation.total}</th>
              <td>{money(receipt.total_kopecks)}</td>
            </tr>
          </tfoot>
        )}
      </table>
      {receipt.lines_in_all > receipt.lines.length && (
        <p className="small quiet">{say.moderation.partly(receipt.lines_in_all)}</p>
      )}
      <Photo look={look} />
    </div>
  );
}

function Line({ line, here }: { line: PaperLine; here: boolean }) {
  const state = line.product_sku ? "ours" : line.in_doubt ? "doubt" : "";
  return (
    <tr className={here ? `here ${state}` : state} aria-current={here || undefined}>
      <td>
        {line.name ?? say.moderation.nameless}
        {line.product_sku && <span className="small good"> {line.product_sku}</span>}
        {!here && line.in_doubt && <span className="small soon"> {say.moderation.inDoubt}</span>}
      </td>
      <td>{money(line.sum_kopecks)}</td>
    </tr>
  );
}
