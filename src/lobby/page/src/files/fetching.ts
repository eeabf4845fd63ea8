/** Getting files from the host. */

import { base } from "../base";

export interface Entry {
  name: string;
  shown: string;
  directory: boolean;
  image: boolean;
  size: number;
  changed: number;
}

export interface Listed {
  directory: string;
  entries: Entry[];
  further: number;
}

export interface Fetchable {
  word: string;
  name: string;
  size: number;
  image: boolean;
}

async function ask<T>(path: string, body: unknown): Promise<T> {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${base}/api/files/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  const said = (await answer.json().catch(() => ({}))) as { error?: string };
  if (!answer.ok) throw new Error(said.error ?? `${answer.status} ${answer.statusText}`);
  return said as T;
}

export const list = (session: string, path: string): Promise<Listed> => ask("list", { session, path });

/** Makes a file ready to be fetched, once and soon. */
export const open = (session: string, path: string): Promise<Fetchable> => ask("open", { session, path });

export const addressOf = (file: Fetchable): string => `${base}/api/files/fetched/${file.word}`;

/** Has the browser store a file. */
export async function download(session: string, path: string): Promise<void> {
  const file = await open(session, path);
  const link = document.createElement("a");
  link.href = addressOf(file);
  link.download = file.name;
  document.body.append(link);
  link.click();
  link.remove();
}
