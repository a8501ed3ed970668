import { Badge, Button, Modal, TextInput } from "@mantine/core";
import { useState } from "react";
import { api } from "../api";
import { useData } from "../lib/data";
import { useSession } from "../lib/session";
import { Busy } from "../parts/Busy";
import { Headline } from "../parts/Headline";
import { Trouble } from "../parts/Trouble";
import { day, number, percent, say, trouble } from "../words";
import "../styles/quality.css";

type Stage = "start" | "shown_99" | "shown_998" | "promised_999";

interface Brand {
  brand: string;
  checked: number;
  wrong: number;
  precision: number | null;
  low: number | null;
  high: number | null;
  stage: Stage;
  needed: number | null;
  decided: number;
  first_right: number;
  line: number;
  sku: number;
  own: boolean;
  set_at: string | null;
  set_by: string | null;
  suggestion: { sku: number; because: "safe_lower" | "wrong_above"; lines: number } | null;
}

const STAGES: Stage[] = ["start", "shown_99", "shown_998", "promised_999"];

export default function Quality() {
  const { data, error, reload } = useData<{ items: Brand[]; audit_bp: number }>("/quality");
  const [tuning, setTuning] = useState<Brand | null>(null);
  const may = useSession().operator.rights.includes("tune");
  return (
    <>
      <Headline
        title={say.pages.quality}
        about={say.quality.about(data ? percent(data.audit_bp / 10_000) : "")}
      />
      {error && <Trouble text={error} again={reload} />}
      {!data && !error && <Busy />}
      {data?.items.length === 0 && <p className="empty card">{say.quality.none}</p>}
      {data?.items.map((one) => (
        <Card key={one.brand} brand={one} tune={may ? () => setTuning(one) : null} />
      ))}
      {tuning && (
        <Tuning
          key={tuning.brand}
          brand={tuning}
          close={() => setTuning(null)}
          done={() => {
            setTuning(null);
            reload();
          }}
        />
      )}
    </>
  );
}

function Card({ brand, tune }: { brand: Brand; tune: (() => void) | null }) {
  const at = STAGES.indexOf(brand.stage);
  return (
    <section className="card quality" aria-label={brand.brand}>
      <div className="headline">
        <h2>{brand.brand}</h2>
        <Badge variant="light" color={at === 0 ? "gray" : at === 3 ? "green" : "violet"}>
          {say.quality.stages[brand.stage]}
        </Badge>
      </div>
      <ol className="stages" aria-label={say.quality.stage}>
        {STAGES.map((one, place) => (
          <li key={one} className={place <= at ? "reached" : ""}>
            <span className="small">{say.quality.short[one]}</span>
          </li>
        ))}
      </ol>
      <p className="quiet small">{say.quality.means[brand.stage]}</p>
      {brand.needed !== null && brand.stage !== "promised_999" && (
        <p className="small">{say.quality.needed(number(brand.needed))}</p>
      )}
      <dl className="measured">
        <div>
          <dt>{say.quality.precision}</dt>
          <dd>
            {brand.precision === null ? "—" : percent(brand.precision)}
            {brand.low !== null && brand.high !== null && (
              <span className="quiet small">
                {say.quality.interval(percent(brand.low), percent(brand.high))}
              </span>
            )}
          </dd>
        </div>
        <div>
          <dt>{say.quality.checked}</dt>
          <dd>
            {number(brand.checked)}
            <span className={`small ${brand.wrong ? "late" : "quiet"}`}>
              {say.quality.wrong(number(brand.wrong))}
            </span>
          </dd>
        </div>
        <div>
          <dt>{say.quality.decided}</dt>
          <dd>
            {number(brand.decided)}
            {brand.decided > 0 && (
              <span className="quiet small">
                {say.quality.firstRight(percent(brand.first_right / brand.decided))}
              </span>
            )}
          </dd>
        </div>
        <div>
          <dt>{say.quality.thresholds}</dt>
          <dd>
            {number(brand.sku)} / {number(brand.line)}
            <span className="quiet small">
              {brand.own && brand.set_at
                ? say.quality.setBy(brand.set_by ?? "", day(brand.set_at))
                : say.quality.common}
            </span>
          </dd>
        </div>
      </dl>
      {brand.suggestion && (
        <p className="small soon">
          {say.quality.suggests[brand.suggestion.because](
            String(brand.suggestion.sku),
            number(brand.suggestion.lines),
          )}
        </p>
      )}
      {tune && (
        <div>
          <Button variant="default" onClick={tune}>
            {say.quality.tune}
          </Button>
        </div>
      )}
    </section>
  );
}

function Tuning({ brand, close, done }: { brand: Brand; close(): void; done(): void }) {
  const [sku, setSku] = useState(String(brand.suggestion?.sku ?? brand.sku));
  const [line, setLine] = useState(String(brand.line));
  const [problem, setProblem] = useState<string | null>(null);
  const save = async (scores: { line: number | null; sku: number | null }) => {
    setProblem(null);
    try {
      await api.put(`/quality/${encodeURIComponent(brand.brand)}/thresholds`, scores);
      done();
    } catch (failed) {
      setProblem(trouble(failed));
    }
  };
  const score = (text: string) => Number(text.replace(",", "."));
  return (
    <Modal
      opened
      onClose={close}
      title={`${say.quality.tune}: ${brand.brand}`}
      closeButtonProps={{ "aria-label": say.close }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void save({ line: score(line), sku: score(sku) });
        }}
      >
        {problem && <Trouble text={problem} />}
        <TextInput
          label={say.quality.sku}
          description={say.quality.scoreHint}
          inputMode="decimal"
          value={sku}
          onChange={(event) => setSku(event.currentTarget.value)}
        />
        <TextInput
          label={say.quality.line}
          inputMode="decimal"
          mt="sm"
          value={line}
          onChange={(event) => setLine(event.currentTarget.value)}
        />
        <div className="acts">
          <Button type="submit" mt="md">
            {say.save}
          </Button>
          {brand.own && (
            <Button variant="default" mt="md" onClick={() => void save({ line: null, sku: null })}>
              {say.quality.reset}
            </Button>
          )}
        </div>
      </form>
    </Modal>
  );
}
