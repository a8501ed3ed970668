/**
 * Receipts drawn as a camera would see them: the QR code is a real one, of a document that the
 * sandbox's tax service knows. A browser has fonts with Cyrillic; a server need not.
 */

import { type Locale, number, rubles } from "@vezde/shared/locale";
import type { Card, Paper, PaperLine } from "./model";

const WIDTH = 640;
const MARGIN = 44;
const INNER = WIDTH - 2 * MARGIN;
const MONO = '"DejaVu Sans Mono", "Liberation Mono", ui-monospace, Menlo, Consolas, monospace';
const SANS = 'system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';
const INK = "#26241f";
const FAINT = "#8a867c";
const CODE = 300;
// Pixels of a picture too small to hold a code: blown up again it is a blur.
const BLUR = 34;

interface Pen {
  context: CanvasRenderingContext2D;
  y: number;
}

/** The card as a JPEG, tilted a little on a table, or blurred beyond reading. */
export async function photograph(card: Card): Promise<Blob> {
  const sheet = card.paper ? paper(card, card.paper) : sticker(card);
  const scene = onTable(sheet, card);
  const seen = card.blurred ? blurred(scene) : scene;
  return new Promise((done, failed) => {
    seen.toBlob(
      (blob) => (blob ? done(blob) : failed(new Error("the picture was not made"))),
      "image/jpeg",
      0.9,
    );
  });
}

function paper(card: Card, of: Paper): HTMLCanvasElement {
  const height = 560 + of.lines.reduce((sum, line) => sum + lineHeight(line), 0) + CODE;
  const canvas = blank(WIDTH, height);
  const pen: Pen = { context: context(canvas), y: 0 };
  pen.context.fillStyle = of.online ? "#ffffff" : "#fbfaf5";
  pen.context.fillRect(0, 0, WIDTH, height);
  header(pen, of);
  for (const line of of.lines) item(pen, line);
  totals(pen, of);
  code(pen, card.modules, CODE);
  pen.y += 18;
  for (const text of [`ФН ${of.fn}`, `ФД ${of.fd}   ФП ${of.fp}`])
    row(pen, text, 20, "center", FAINT);
  return cut(canvas, pen.y + 30);
}

function header(pen: Pen, of: Paper): void {
  if (of.online) {
    pen.context.fillStyle = "#eceaf6";
    pen.context.fillRect(0, 0, WIDTH, 76);
    pen.y = 50;
    write(pen, "Электронный чек", MARGIN, pen.y, `600 28px ${SANS}`, INK);
    pen.y = 112;
  } else {
    pen.y = 64;
  }
  for (const text of wrapped(pen, of.place ?? "", `700 28px ${MONO}`))
    row(pen, text, 28, "center", INK, 700);
  row(pen, of.seller ?? "", 21, "center");
  for (const text of wrapped(pen, of.address ?? "", `19px ${MONO}`))
    row(pen, text, 19, "center", FAINT);
  row(pen, `ИНН ${of.inn}`, 19, "center", FAINT);
  pen.y += 12;
  const name = of.correction ? "ЧЕК КОРРЕКЦИИ" : "КАССОВЫЙ ЧЕК";
  row(
    pen,
    `${name} · ${of.operation === 2 ? "ВОЗВРАТ ПРИХОДА" : "ПРИХОД"}`,
    21,
    "center",
    INK,
    700,
  );
  row(pen, of.time.replace("T", " ").replace(/^(\d+)-(\d+)-(\d+)/, "$3.$2.$1"), 20, "center");
  dashes(pen);
}

function item(pen: Pen, line: PaperLine): void {
  for (const text of nameLines(line)) row(pen, text, 21, "left");
  const counted = `${number(line.quantity, "ru")} × ${kopecks(line.price_kopecks)}`;
  both(pen, counted, `=${kopecks(line.sum_kopecks)}`, 21);
  row(pen, line.paid_ahead ? "ПРЕДОПЛАТА 100 %" : "ПОЛНЫЙ РАСЧЁТ", 16, "left", FAINT);
  pen.y += 8;
}

function totals(pen: Pen, of: Paper): void {
  dashes(pen);
  pen.y += 8;
  both(pen, "ИТОГ", `=${kopecks(of.total_kopecks)}`, 32, 700);
  const ahead = of.prepaid_kopecks > 0;
  both(pen, ahead ? "ПРЕДОПЛАТОЙ (АВАНС)" : "БЕЗНАЛИЧНЫМИ", kopecks(of.total_kopecks), 20);
  pen.y += 16;
}

/** What stands beside a till and is no receipt: a code to pay by. */
function sticker(card: Card): HTMLCanvasElement {
  const canvas = blank(WIDTH, 720);
  const pen: Pen = { context: context(canvas), y: 84 };
  pen.context.fillStyle = "#ffffff";
  pen.context.fillRect(0, 0, WIDTH, canvas.height);
  row(pen, "Оплата по QR-коду", 40, "center", "#1d1b45", 700, SANS);
  row(pen, "Наведите камеру телефона", 24, "center", FAINT, 400, SANS);
  pen.y += 24;
  code(pen, card.modules, 400);
  pen.y += 40;
  row(pen, "Система быстрых платежей", 24, "center", FAINT, 400, SANS);
  return canvas;
}

function onTable(sheet: HTMLCanvasElement, card: Card): HTMLCanvasElement {
  const room = 56;
  const canvas = blank(sheet.width + 2 * room, sheet.height + 2 * room);
  const drawn = context(canvas);
  const table = drawn.createLinearGradient(0, 0, canvas.width, canvas.height);
  table.addColorStop(0, "#cfc6ba");
  table.addColorStop(1, "#a99d8e");
  drawn.fillStyle = table;
  drawn.fillRect(0, 0, canvas.width, canvas.height);
  drawn.translate(canvas.width / 2, canvas.height / 2);
  drawn.rotate(((card.name.length % 5) - 2) * 0.007);
  drawn.shadowColor = "rgba(40, 30, 20, 0.35)";
  drawn.shadowBlur = 26;
  drawn.shadowOffsetY = 10;
  drawn.drawImage(sheet, -sheet.width / 2, -sheet.height / 2);
  return canvas;
}

function blurred(sharp: HTMLCanvasElement): HTMLCanvasElement {
  const small = blank(BLUR, Math.round((BLUR * sharp.height) / sharp.width));
  const shrunk = context(small);
  shrunk.imageSmoothingQuality = "high";
  shrunk.drawImage(sharp, 0, 0, small.width, small.height);
  const canvas = blank(sharp.width, sharp.height);
  const drawn = context(canvas);
  drawn.imageSmoothingEnabled = true;
  drawn.imageSmoothingQuality = "high";
  drawn.drawImage(small, 0, 0, canvas.width, canvas.height);
  return canvas;
}

function code(pen: Pen, modules: readonly string[], size: number): void {
  const cell = Math.floor(size / modules.length);
  const side = cell * modules.length;
  const left = (WIDTH - side) / 2;
  pen.context.fillStyle = "#ffffff";
  pen.context.fillRect(left - 4 * cell, pen.y - cell, side + 8 * cell, side + 2 * cell);
  pen.context.fillStyle = "#000000";
  modules.forEach((bits, down) => {
    for (let along = 0; along < bits.length; along++) {
      if (bits[along] !== "1") continue;
      pen.context.fillRect(left + along * cell, pen.y + down * cell, cell, cell);
    }
  });
  pen.y += side + 20;
}

function row(
  pen: Pen,
  text: string,
  size: number,
  align: CanvasTextAlign,
  ink = INK,
  weight = 400,
  family = MONO,
): void {
  const left = align === "center" ? WIDTH / 2 : MARGIN;
  pen.y += size;
  pen.context.textAlign = align;
  write(pen, text, left, pen.y, `${weight} ${size}px ${family}`, ink);
  pen.context.textAlign = "left";
  pen.y += Math.round(size * 0.36);
}

function both(pen: Pen, left: string, right: string, size: number, weight = 400): void {
  pen.y += size;
  const font = `${weight} ${size}px ${MONO}`;
  write(pen, left, MARGIN, pen.y, font, INK);
  pen.context.textAlign = "right";
  write(pen, right, WIDTH - MARGIN, pen.y, font, INK);
  pen.context.textAlign = "left";
  pen.y += Math.round(size * 0.36);
}

function write(pen: Pen, text: string, x: number, y: number, font: string, ink: string): void {
  pen.context.font = font;
  pen.context.fillStyle = ink;
  pen.context.fillText(text, x, y, INNER);
}

function dashes(pen: Pen): void {
  pen.y += 14;
  pen.context.strokeStyle = FAINT;
  pen.context.setLineDash([9, 7]);
  pen.context.beginPath();
  pen.context.moveTo(MARGIN, pen.y);
  pen.context.lineTo(WIDTH - MARGIN, pen.y);
  pen.context.stroke();
  pen.y += 8;
}

function wrapped(pen: Pen, text: string, font: string): string[] {
  pen.context.font = font;
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line ? `${line} ${word}` : word;
    if (line && pen.context.measureText(longer).width > INNER) {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  return line ? [...lines, line] : lines;
}

function nameLines(line: PaperLine): string[] {
  const measure = context(blank(1, 1));
  return wrapped({ context: measure, y: 0 }, line.name ?? "ТОВАР", `21px ${MONO}`);
}

const lineHeight = (line: PaperLine) => (nameLines(line).length + 2) * 30 + 8;

const kopecks = (sum: number) => (sum / 100).toFixed(2).replace(".", ",");

function blank(width: number, height: number): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = Math.ceil(height);
  return canvas;
}

function cut(tall: HTMLCanvasElement, height: number): HTMLCanvasElement {
  const canvas = blank(tall.width, height);
  context(canvas).drawImage(tall, 0, 0);
  return canvas;
}

function context(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const drawn = canvas.getContext("2d");
  if (!drawn) throw new Error("this browser draws no pictures");
  return drawn;
}

/** A sum as the receipts of a tray print it, for those who listen instead of look. */
export const told = (of: Paper, locale: Locale) =>
  `${of.place ?? of.seller ?? ""}, ${rubles(of.total_kopecks, locale)}`;
