/**
 * Where this page is: an admin sees another user's lobby below `/as/<user>`, and a person what is shared with them
 * below `/shared/<user>`.
 */

const match = /^\/(as|shared)\/([^/]+)(?=\/)/.exec(location.pathname);
const whose = match?.[2] ? decodeURIComponent(match[2]) : "";

/** What every path of this lobby begins with. */
export const base = match?.[0] ?? "";

/** Whose lobby an admin looks at; empty in one's own. */
export const lookedAt = match?.[1] === "as" ? whose : "";

/** Who shares what is shown here; empty in one's own. */
export const sharedBy = match?.[1] === "shared" ? whose : "";

/** The URL of a WebSocket. */
export const socketUrl = (path: string): string => `${location.origin.replace(/^http/, "ws")}${base}${path}`;

/** That of one for a session, which what is shared names before it is opened. */
export const sessionUrl = (path: string, session: string): string => socketUrl(path) + (sharedBy ? `?session=${session}` : "");
