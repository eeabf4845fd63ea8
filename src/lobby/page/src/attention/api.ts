/** What this part of the page asks of the lobby. */

import { ask, get } from "../api";

export interface Happened {
  time: number;
  kind: string;
  session?: string;
  message: string;
}

export interface Away {
  /** Until when the person knew what happened, in seconds since the epoch. */
  seen: number;
  now: number;
  events: Happened[];
  more: number;
}

export interface Device {
  id: string;
  name: string;
  service: string;
  created: number;
  used: number;
  trouble: string;
  /** The SHA-256 of its endpoint. */
  endpoint: string;
}

export const attention = {
  away: () => get<Away>("/api/away"),
  see: (until: number) => ask<void>("/api/away/seen", { until }),
  devices: () => get<Device[]>("/api/push"),
  key: () => ask<{ key: string }>("/api/push/key"),
  subscribe: (endpoint: string, p256dh: string, auth: string) =>
    ask<{ id: string }>("/api/push/subscribe", { endpoint, p256dh, auth, site: location.origin }),
  remove: (id: string) => ask<void>(`/api/push/${encodeURIComponent(id)}/remove`),
  test: () => ask<{ taken: number; failed: string[] }>("/api/push/test"),
};
