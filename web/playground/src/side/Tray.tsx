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
    let made: string | null = null;
    let gone = false;
    void photograph(card).then((blob) => {
      if (gone) return;
      made = URL.createObjectURL(blob);
      setAddress(made);
    });
    return () => {
      gone = true;
      if (made) URL.revokeObjectURL(made);
    };
  }, [card]);
  const alt = card.paper ? told(card.paper, locale) : card.title[locale];
  return (
    <span className="thumbnail">
      {address && <img src={address} alt={words(locale).sampleAlt(alt)} draggable={false} />}
    </span>
  );
}
