import type { Locale } from "@vezde/shared/locale";
import { useEffect, useState } from "react";
import { CARD } from "../messenger/Messenger";
import type { Card } from "../model";
import { photograph, told } from "../paper";
import { words } from "../words";

interface Props {
  cards: readonly Card[] | null;
  locale: Locale;
  onShow: (card: Card) => void;
}

export function Tray({ cards, locale, onShow }: Props) {
  const said = words(locale);
  if (cards?.length === 0) return <p className="hint">{said.trayEmpty}</p>;
  return (
    <>
      <p className="hint">{said.trayHint}</p>
      <ul className="tray">
        {cards?.map((card) => (
          <li key={card.name}>
            <button
              type="button"
              className="card"
              data-card={card.name}
              draggable
              onDragStart={(event) => {
                event.dataTransfer.setData(CARD, card.name);
                event.dataTransfer.effectAllowed = "copy";
              }}
              onClick={() => onShow(card)}
            >
              <Thumbnail card={card} locale={locale} />
              <strong>{card.title[locale]}</strong>
              <span>{card.shows[locale]}</span>
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}

function Thumbnail({ card, locale }: { card: Card; locale: Locale }) {
  const [address, setAddress] = useState<string | null>(null);
  useEffect(() => {
    let gone = false;
    void photograph(card).then((blob) => {
      if (!gone) setAddress(URL.createObjectURL(blob));
    });
    return () => {
      gone = true;
    };
  }, [card]);
  // The old one goes when the new one stands in the page, not before.
  useEffect(() => () => URL.revokeObjectURL(address ?? ""), [address]);
  const alt = card.paper ? told(card.paper, locale) : card.title[locale];
  return (
    <span className="thumbnail">
      {address && <img src={address} alt={words(locale).sampleAlt(alt)} draggable={false} />}
    </span>
  );
}
