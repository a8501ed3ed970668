import type { Locale } from "@vezde/shared/locale";
import { fileUrl } from "../api";
import { Link, Rich } from "../entities";
import { Icon } from "../icons";
import type { InlineButton, Message } from "../model";
import { words } from "../words";

interface Props {
  /** One message, or those of an album in their order. */
  messages: readonly Message[];
  locale: Locale;
  time: string;
  pressed: string | null;
  onCommand: (command: string) => void;
  onPress: (message: Message, button: InlineButton) => void;
}

export function Bubble({ messages, locale, time, pressed, onCommand, onPress }: Props) {
  const said = words(locale);
  const first = messages[0];
  if (!first) return null;
  const mine = first.mine;
  const text = first.text ?? first.caption;
  const entities = first.text ? first.entities : first.caption_entities;
  const photos = messages.filter((one) => one.photo);
  return (
    <article className={`message ${mine ? "mine" : "theirs"}`} data-message={first.message_id}>
      <div className={`bubble ${photos.length > 0 ? "pictured" : ""}`}>
        {photos.length > 0 && <Photos messages={photos} locale={locale} />}
        {first.document && (
          <a className="document" href={fileUrl(first.document.url)} download={first.document.name}>
            <Icon name="file" />
            <span>{first.document.name}</span>
          </a>
        )}
        {first.contact && (
          <p className="contact">
            <span className="avatar small">{first.contact.first_name.slice(0, 1)}</span>
            <span>
              <strong>{first.contact.first_name}</strong>
              <br />+{first.contact.phone_number.replace("+", "")}
            </span>
          </p>
        )}
        {text && (
          <p className="text">
            <Rich text={text} entities={entities} onCommand={onCommand} />
          </p>
        )}
        <p className="when">
          {messages.some((one) => one.edit_date) && <span>{said.edited}</span>}
          <time>{time}</time>
          {mine && <Icon name="check" size={14} />}
        </p>
      </div>
      {first.inline_keyboard && (
        <div className="inline">
          {first.inline_keyboard.map((row, number) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rows have no name of their own
            <div className="buttons" key={number}>
              {row.map((button) => (
                <Inline
                  key={button.text}
                  button={button}
                  busy={pressed === `${first.message_id}:${button.text}`}
                  onPress={() => onPress(first, button)}
                />
              ))}
            </div>
          ))}
        </div>
      )}
    </article>
  );
}

function Photos({ messages, locale }: { messages: readonly Message[]; locale: Locale }) {
  const said = words(locale);
  return (
    <div className={`photos of-${Math.min(messages.length, 4)}`}>
      {messages.map(
        (one) =>
          one.photo && (
            <a
              key={one.message_id}
              href={fileUrl(one.photo.url)}
              target="_blank"
              rel="noreferrer noopener"
            >
              <img
                src={fileUrl(one.photo.url)}
                width={one.photo.width}
                height={one.photo.height}
                alt={one.caption ?? (one.mine ? said.yourPhoto : said.photo)}
                loading="lazy"
              />
            </a>
          ),
      )}
    </div>
  );
}

function Inline(props: { button: InlineButton; busy: boolean; onPress: () => void }) {
  const { button, busy, onPress } = props;
  const address = button.url ?? button.web_app?.url;
  if (address) {
    return (
      <Link to={address} className="press">
        {button.text} <span aria-hidden="true">↗</span>
      </Link>
    );
  }
  return (
    <button type="button" className="press" aria-busy={busy} onClick={onPress}>
      {button.text}
    </button>
  );
}
