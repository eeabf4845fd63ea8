/** This browser's subscription to notifications. */

import { attention } from "./api";
import { text } from "./text";

/** Why this browser cannot be notified; empty if it can. */
export function obstacle(): string {
  if (!isSecureContext) return text.insecure;
  const isApple = /iPhone|iPad/.test(navigator.userAgent);
  if (!("serviceWorker" in navigator) || !("PushManager" in window) || !("Notification" in window)) {
    return isApple ? `${text.unsupported} ${text.onPhone}` : text.unsupported;
  }
  return Notification.permission === "denied" ? text.denied : "";
}

const base64url = (bytes: ArrayBuffer | null): string =>
  btoa(String.fromCharCode(...new Uint8Array(bytes ?? new ArrayBuffer(0))))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

async function current(): Promise<PushSubscription | null> {
  if (obstacle() !== "") return null;
  const registration = await navigator.serviceWorker.getRegistration("/");
  return (await registration?.pushManager.getSubscription()) ?? null;
}

/** What the lobby knows this browser by; empty if it is not subscribed. */
export async function ownEndpoint(): Promise<string> {
  const subscription = await current();
  if (!subscription) return "";
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(subscription.endpoint));
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Subscribes this browser. To be called by a click: the browser may ask the person. */
export async function subscribe(): Promise<void> {
  if ((await Notification.requestPermission()) !== "granted") throw new Error(text.notAllowed);
  const { key } = await attention.key();
  await navigator.serviceWorker.register("/sw.js", { scope: "/", updateViaCache: "none" });
  const registration = await navigator.serviceWorker.ready;
  const before = await registration.pushManager.getSubscription();
  // Of another lobby at this address, or of before its key was made again.
  if (before && base64url(before.options.applicationServerKey) !== key) await before.unsubscribe();
  const subscription = await registration.pushManager
    .subscribe({ userVisibleOnly: true, applicationServerKey: key })
    .catch((failed: Error) => Promise.reject(new Error(text.fails(failed.message))));
  const of = (name: PushEncryptionKeyName): string => base64url(subscription.getKey(name));
  await attention.subscribe(subscription.endpoint, of("p256dh"), of("auth"));
}

/** Ends this browser's subscription. */
export async function unsubscribe(): Promise<void> {
  await (await current())?.unsubscribe();
}

/** This browser is no longer to be notified. */
export async function leave(): Promise<void> {
  const own = await ownEndpoint();
  if (!own) return;
  await unsubscribe();
  const device = (await attention.devices()).find((device) => device.endpoint === own);
  if (device) await attention.remove(device.id);
}
