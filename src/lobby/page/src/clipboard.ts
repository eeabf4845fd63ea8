/** What programs put into the clipboard (OSC 52): only with consent, bounded, and nothing is ever read from it. */

/** Most characters of base64. */
const MAX = 256 * 1024;

/** The text that a program wants to have copied; none if it asks for what is there, or for too much. */
export function wanted(data: string): string | undefined {
  const at = data.indexOf(";");
  const payload = data.slice(at + 1);
  if (at < 0 || payload === "?" || payload === "" || payload.length > MAX) return undefined;
  try {
    const bytes = Uint8Array.from(atob(payload), (char) => char.charCodeAt(0));
    return new TextDecoder().decode(bytes) || undefined;
  } catch {
    return undefined;
  }
}

/** Copies; whether the browser allowed it. */
export async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
