import { Badge, Button, Modal, NativeSelect, TextInput } from "@mantine/core";
import { useState } from "react";
import { api, type Person, type Role } from "../api";
import { useData } from "../lib/data";
import { useSession } from "../lib/session";
import { Busy } from "../parts/Busy";
import { Headline } from "../parts/Headline";
import { Trouble } from "../parts/Trouble";
import { day, say, trouble } from "../words";

const ROLES: Role[] = ["operator", "marketer", "analyst", "admin", "cashier"];
const OPTIONS = ROLES.map((one) => ({ value: one, label: say.roles[one] }));

interface Invitation {
  person: Person;
  link: string;
}

export default function People() {
  const { data, error, reload } = useData<{ items: Person[] }>("/people");
  const [adding, setAdding] = useState(false);
  const [invitation, setInvitation] = useState<Invitation | null>(null);
  const [leaving, setLeaving] = useState<Person | null>(null);
  const [problem, setProblem] = useState<string | null>(null);

  const doing = async (work: () => Promise<unknown>) => {
    setProblem(null);
    try {
      await work();
    } catch (failed) {
      setProblem(trouble(failed));
    }
    reload();
  };
  const invite = async (person: Person) =>
    setInvitation(await api.post<Invitation>(`/people/${person.id}/link`));

  return (
    <>
      <Headline title={say.pages.people} about={say.people.about}>
        <Button onClick={() => setAdding(true)}>{say.people.add}</Button>
      </Headline>
      {(problem ?? error) && <Trouble text={problem ?? error ?? ""} again={reload} />}
      {!data && !error && <Busy />}
      {data && (
        <ul className="card flush rows">
          {data.items.map((one) => (
            <Row
              key={one.id}
              person={one}
              invite={() => void doing(() => invite(one))}
              leave={() => setLeaving(one)}
              change={(role) => void doing(() => api.put(`/people/${one.id}/role`, { role }))}
            />
          ))}
        </ul>
      )}
      <Adding
        open={adding}
        close={() => setAdding(false)}
        added={(person) => {
          setAdding(false);
          void doing(() => (person.role === "cashier" ? Promise.resolve() : invite(person)));
        }}
      />
      <Link invitation={invitation} close={() => setInvitation(null)} />
      <Modal
        opened={leaving !== null}
        onClose={() => setLeaving(null)}
        title={leaving && say.people.leaveSure(leaving.name)}
        closeButtonProps={{ "aria-label": say.close }}
      >
        <p>{say.people.leaveHint}</p>
        <Button
          color="red"
          mt="md"
          onClick={() => {
            const who = leaving;
            setLeaving(null);
            if (who) void doing(() => api.remove(`/people/${who.id}`));
          }}
        >
          {say.people.leave}
        </Button>
      </Modal>
    </>
  );
}

interface RowProps {
  person: Person;
  invite(): void;
  leave(): void;
  change(role: Role): void;
}

function Row({ person, invite, leave, change }: RowProps) {
  const me = useSession().operator.id === person.id;
  return (
    <li>
      <div className="what">
        <div>
          {person.name} {me && <Badge variant="light">{say.people.you}</Badge>}
        </div>
        <div className="quiet small">
          {person.left_at
            ? say.people.left(day(person.left_at))
            : say.people.since(day(person.since))}
        </div>
      </div>
      {person.left_at || me ? (
        <span className="quiet">{say.roles[person.role]}</span>
      ) : (
        <div className="acts">
          <NativeSelect
            aria-label={say.people.change(person.name)}
            data={OPTIONS}
            value={person.role}
            size="sm"
            onChange={(event) => change(event.currentTarget.value as Role)}
          />
          {person.role !== "cashier" && (
            <Button variant="default" onClick={invite}>
              {say.people.link}
            </Button>
          )}
          <Button variant="subtle" color="red" onClick={leave}>
            {say.people.leave}
          </Button>
        </div>
      )}
    </li>
  );
}

interface AddingProps {
  open: boolean;
  close(): void;
  added(person: Person): void;
}

function Adding({ open, close, added }: AddingProps) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("operator");
  const [phone, setPhone] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const add = async () => {
    setProblem(null);
    try {
      added(await api.post<Person>("/people", { name, role, ...(phone ? { phone } : {}) }));
      setName("");
      setPhone("");
    } catch (failed) {
      setProblem(trouble(failed));
    }
  };
  return (
    <Modal
      opened={open}
      onClose={close}
      title={say.people.add}
      closeButtonProps={{ "aria-label": say.close }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void add();
        }}
      >
        {problem && <Trouble text={problem} />}
        <TextInput
          label={say.people.name}
          required
          maxLength={100}
          data-autofocus
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <NativeSelect
          label={say.people.role}
          description={say.roleMeans[role]}
          data={OPTIONS}
          mt="sm"
          value={role}
          onChange={(event) => setRole(event.currentTarget.value as Role)}
        />
        <TextInput
          label={say.people.phone}
          type="tel"
          mt="sm"
          value={phone}
          onChange={(event) => setPhone(event.currentTarget.value)}
        />
        <Button type="submit" mt="md">
          {say.people.add}
        </Button>
      </form>
    </Modal>
  );
}

function Link({ invitation, close }: { invitation: Invitation | null; close(): void }) {
  const [copied, setCopied] = useState(false);
  const done = () => {
    setCopied(false);
    close();
  };
  return (
    <Modal
      opened={invitation !== null}
      onClose={done}
      title={invitation && say.people.linkFor(invitation.person.name)}
      closeButtonProps={{ "aria-label": say.close }}
    >
      <p>{say.people.linkHint}</p>
      <code className="link">{invitation?.link}</code>
      <Button
        mt="md"
        onClick={() => {
          if (invitation)
            void navigator.clipboard.writeText(invitation.link).then(() => setCopied(true));
        }}
      >
        {copied ? say.people.copied : say.people.copy}
      </Button>
    </Modal>
  );
}
