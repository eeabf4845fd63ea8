/**
 * Texts in the language of the browser. English is in the text.ts of each part; another language is one more file,
 * languages/<tag>.ts, with a default export that satisfies `Language`. What it lacks stays English.
 */

/** The parts, each with what its text.ts exports. */
export interface Parts {
  common: typeof import("./text");
  later: typeof import("./text-later");
  attention: typeof import("./attention/text");
  conversation: typeof import("./conversation/text");
  files: typeof import("./files/text");
  layout: typeof import("./layout/text");
  newSession: typeof import("./new-session/text");
  tiles: typeof import("./tiles/text");
  palette: typeof import("./palette/text");
  restore: typeof import("./restore/text");
  share: typeof import("./share/text");
  search: typeof import("./search/text");
}

type Some<T> = T extends (...parameters: never[]) => unknown ? T : T extends object ? { [Key in keyof T]?: Some<T[Key]> } : T;

/** One language: for each part, the objects of texts, or some of them. */
export type Language = Some<Parts>;

type Texts = { [key: string]: unknown };

const languages = import.meta.glob<{ default: Language }>("./languages/*.ts");
const parts = new Map<string, Texts>();
let chosen: { [part: string]: Texts | undefined } = {};

function merge(into: Texts, from: Texts = {}): void {
  for (const [key, text] of Object.entries(from)) {
    if (text && typeof text === "object") merge(into[key] as Texts, text as Texts);
    else into[key] = text;
  }
}

/** Makes the texts of a part known, so that they are in the browser's language. They are changed in place. */
export function translated(part: keyof Parts, texts: Texts): void {
  parts.set(part, texts);
  merge(texts, chosen[part]);
}

/** Loads the language that the browser's person reads best, of those that there are. */
export async function loadLanguage(): Promise<void> {
  for (const tag of navigator.languages) {
    const [plain = ""] = tag.split("-");
    if (plain === "en") return;
    const load = languages[`./languages/${tag}.ts`] ?? languages[`./languages/${plain}.ts`];
    if (!load) continue;
    chosen = (await load()).default as typeof chosen;
    for (const [part, texts] of parts) merge(texts, chosen[part]);
    document.documentElement.lang = tag;
    return;
  }
}
