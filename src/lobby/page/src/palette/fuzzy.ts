/** How well a text answers to what was typed. */

/** Longest text that is looked at, in characters. */
const MAX = 300;

/** Whether a word begins at a place. */
const begins = (text: string, at: number): boolean => at === 0 || !/[\p{L}\p{N}]/u.test(text[at - 1] ?? "");

/** How well one word is found in a text: 0 if it is not. The letters may have others between them, but not many. */
function wordScore(word: string, text: string): number {
  let at = text.indexOf(word);
  const first = at;
  while (at >= 0 && !begins(text, at)) at = text.indexOf(word, at + 1);
  if (at >= 0) return 100 + (at === 0 ? 20 : 0);
  if (first >= 0) return 60;
  let from = 0;
  let score = 0;
  let begun = -1;
  for (const letter of word) {
    const next = text.indexOf(letter, from);
    if (next < 0) return 0;
    if (begun < 0) begun = next;
    score += begins(text, next) ? 6 : next === from ? 3 : 1;
    from = next + 1;
  }
  return from - begun > word.length * 2 + 2 ? 0 : Math.min(40, score);
}

/** How well a text answers to a query; each of its words has to be found. 0 if it does not. */
export function fuzzy(query: string, text: string): number {
  const words = query.toLowerCase().slice(0, MAX).split(/\s+/).filter(Boolean);
  const all = text.toLowerCase().slice(0, MAX);
  let sum = 1;
  for (const word of words) {
    const score = wordScore(word, all);
    if (score === 0) return 0;
    sum += score;
  }
  return sum;
}
