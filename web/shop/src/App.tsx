import { get, post, Refused } from "@vezde/shared/http";
import { rubles } from "@vezde/shared/locale";
import { useEffect, useState } from "react";
import type { Cart, Chosen, Good, Order, Shop } from "./model";
import { Points } from "./Points";

const money = (kopecks: number) => rubles(kopecks, "ru");
const NOTHING: Chosen = { quote_id: null, points: 0, pay_kopecks: null };

/** A small invented shop: a basket, the widget, an order, paying it by a button, returning it. */
export function App() {
  const [shop, setShop] = useState<Shop | null>(null);
  const [basket, setBasket] = useState<Record<string, number>>({});
  const [chosen, setChosen] = useState<Chosen>(NOTHING);
  const [order, setOrder] = useState<Order | null>(null);
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);

  useEffect(() => {
    get<Shop>("/shop/api/shop").then(setShop, (error) => setWrong(told(error)));
  }, []);

  const inBasket = (shop?.goods ?? []).filter((one) => basket[one.sku]);
  const total = inBasket.reduce((sum, one) => sum + one.price_kopecks * (basket[one.sku] ?? 0), 0);
  const cart: Cart = {
    lines: inBasket.map((one) => ({
      sku: one.sku,
      quantity: basket[one.sku] ?? 0,
      price_kopecks: one.price_kopecks,
    })),
  };
  const put = (good: Good, change: number) =>
    setBasket((now) => ({
      ...now,
      [good.sku]: Math.min(20, Math.max(0, (now[good.sku] ?? 0) + change)),
    }));

  const act = async (what: () => Promise<void>) => {
    setBusy(true);
    setWrong("");
    try {
      await what();
    } catch (error) {
      setWrong(told(error));
    } finally {
      setBusy(false);
    }
  };
  const place = async () => {
    const lines = cart.lines.map(({ sku, quantity }) => ({ sku, quantity }));
    setOrder(await post<Order>("/shop/api/orders", { ...chosen, lines, pay_kopecks: undefined }));
  };
  const step = (name: string) => async () => {
    setOrder(await post<Order>(`/shop/api/orders/${order?.order_id}/${name}`));
  };
  const giveUp = async () => {
    await post(`/shop/api/orders/${order?.order_id}/cancel`);
    setOrder(null);
  };
  const anew = () => {
    setOrder(null);
    setBasket({});
    setChosen(NOTHING);
  };

  return (
    <>
      <header>
        <strong>Лунария</strong>
        <span>магазин-пример: деньги и товары выдуманы</span>
        <a href="/playground" target="_blank" rel="noopener">
          Открыть телефон с ботом
        </a>
      </header>
      <main>
        {order === null && (
          <section className="goods" aria-label="Товары">
            {shop?.goods.map((good) => (
              <article key={good.sku}>
                <Jar colour={good.colour} />
                <h2>{good.name}</h2>
                <p>{good.note}</p>
                <div className="buy">
                  <strong>{money(good.price_kopecks)}</strong>
                  <Count good={good} many={basket[good.sku] ?? 0} put={put} />
                </div>
              </article>
            ))}
          </section>
        )}
        <aside>
          {order === null ? (
            <>
              <h2>Корзина</h2>
              {inBasket.length === 0 && <p>Положите что-нибудь в корзину.</p>}
              {inBasket.map((one) => (
                <p className="line" key={one.sku}>
                  <span>
                    {one.name} × {basket[one.sku]}
                  </span>
                  <span>{money(one.price_kopecks * (basket[one.sku] ?? 0))}</span>
                </p>
              ))}
              {shop && <Points apiKey={shop.key} cart={cart} chosen={setChosen} />}
              <button type="button" disabled={busy || total === 0} onClick={() => void act(place)}>
                Оформить за {money(chosen.points > 0 ? (chosen.pay_kopecks ?? total) : total)}
              </button>
            </>
          ) : (
            <Placed
              order={order}
              busy={busy}
              pay={() => void act(step("pay"))}
              back={() => void act(step("return"))}
              giveUp={() => void act(giveUp)}
              anew={anew}
            />
          )}
          {wrong && (
            <p className="wrong" role="alert">
              {wrong}
            </p>
          )}
        </aside>
      </main>
    </>
  );
}

interface PlacedProps {
  order: Order;
  busy: boolean;
  pay(): void;
  back(): void;
  giveUp(): void;
  anew(): void;
}

function Placed({ order, busy, pay, back, giveUp, anew }: PlacedProps) {
  const title = order.returned
    ? "Заказ вернули"
    : order.paid
      ? "Заказ оплачен"
      : "Осталось оплатить";
  return (
    <div className="placed" role="status">
      <h2>{title}</h2>
      <p className="line">
        <span>Заказ</span>
        <span>{order.order_id}</span>
      </p>
      <p className="line">
        <span>Баллами</span>
        <span>{order.points}</span>
      </p>
      <p className="line">
        <span>Деньгами</span>
        <strong>{money(order.pay_kopecks)}</strong>
      </p>
      {(order.earned_points ?? 0) > 0 && <p>За заказ начислено баллов: {order.earned_points}</p>}
      {order.returned && (
        <p>
          Вернули {money(order.refund_kopecks ?? 0)}
          {order.points > 0 && ` и баллов: ${order.restored_points ?? 0}`}
          {(order.reversed_points ?? 0) > 0 && `; начисленные сняты: ${order.reversed_points}`}
        </p>
      )}
      {!order.paid && (
        <>
          <button type="button" disabled={busy} onClick={pay}>
            Оплатить понарошку
          </button>
          <button type="button" className="quiet" disabled={busy} onClick={giveUp}>
            Передумать
          </button>
        </>
      )}
      {order.paid && !order.returned && (
        <button type="button" className="quiet" disabled={busy} onClick={back}>
          Вернуть заказ
        </button>
      )}
      {order.paid && (
        <button type="button" className="quiet" onClick={anew}>
          Новый заказ
        </button>
      )}
    </div>
  );
}

function Count({
  good,
  many,
  put,
}: {
  good: Good;
  many: number;
  put(good: Good, by: number): void;
}) {
  if (many === 0) {
    return (
      <button type="button" aria-label={`В корзину: ${good.name}`} onClick={() => put(good, 1)}>
        В корзину
      </button>
    );
  }
  return (
    <span className="count">
      <button type="button" aria-label={`Меньше: ${good.name}`} onClick={() => put(good, -1)}>
        −
      </button>
      <span>{many}</span>
      <button type="button" aria-label={`Больше: ${good.name}`} onClick={() => put(good, 1)}>
        +
      </button>
    </span>
  );
}

function Jar({ colour }: { colour: string }) {
  return (
    <svg viewBox="0 0 120 90" aria-hidden="true">
      <rect x="34" y="30" width="52" height="50" rx="10" fill={colour} />
      <rect x="40" y="14" width="40" height="18" rx="5" fill="#5d6270" />
      <path d="M66 44a12 12 0 1 0 4 18 10 10 0 0 1-4-18z" fill="#ffffff" />
    </svg>
  );
}

const TOLD: Record<string, string> = {
  price_changed: "Цена изменилась. Проверьте сумму и оформите ещё раз.",
  quote_expired: "Расчёт устарел. Оформите ещё раз.",
  insufficient_points: "Баллов уже меньше. Проверьте сумму.",
  unreachable: "Баллы сейчас недоступны. Оформите без них.",
};

function told(error: unknown): string {
  const code = error instanceof Refused ? error.code : "";
  return TOLD[code] ?? "Не получилось. Попробуйте ещё раз.";
}
