/** JSON over HTTP with errors that can be shown. */

export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    /** What the problem says beside: depends on the code. */
    readonly extra: Readonly<Record<string, unknown>> = {},
  ) {
    super(detail);
  }
}

export async function get<T>(path: string): Promise<T> {
  return read<T>(await fetch(path, { headers: { Accept: "application/json" } }));
}

export async function post<T>(
  path: string,
  body: object | Blob | FormData = {},
  more: Readonly<Record<string, string>> = {},
): Promise<T> {
  const raw = body instanceof Blob || body instanceof FormData;
  const headers: Record<string, string> = { Accept: "application/json", ...more };
  if (body instanceof Blob) headers["Content-Type"] = body.type;
  else if (!raw) headers["Content-Type"] = "application/json";
  const sent = raw ? body : JSON.stringify(body);
  return read<T>(await fetch(path, { method: "POST", headers, body: sent }));
}

export async function put<T>(path: string, body: object): Promise<T> {
  const headers = { Accept: "application/json", "Content-Type": "application/json" };
  return read<T>(await fetch(path, { method: "PUT", headers, body: JSON.stringify(body) }));
}

export async function remove(path: string): Promise<void> {
  await read(await fetch(path, { method: "DELETE" }));
}

async function read<T>(answer: Response): Promise<T> {
  const text = await answer.text();
  const content = parsed(text);
  if (answer.ok) return content as T;
  const problem = (content ?? {}) as { code?: string; detail?: string; error?: string };
  throw new Refused(
    answer.status,
    problem.code ?? "failed",
    problem.detail ?? problem.error ?? (text.slice(0, 300) || answer.statusText),
    problem as Record<string, unknown>,
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
