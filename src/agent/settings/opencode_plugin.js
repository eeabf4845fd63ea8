// Says which conversation this opencode shows, and what it does. Nothing here waits for the program that is
// started.
import { spawn } from "node:child_process";

const command = ["COMMAND"];

function report(hook_event_name, session_id) {
  try {
    const options = { detached: true, stdio: ["pipe", "ignore", "ignore"] };
    const child = spawn(command[0], command.slice(1), options);
    child.on("error", () => {});
    child.stdin.on("error", () => {});
    child.stdin.end(JSON.stringify({ session_id, hook_event_name }));
    child.unref();
  } catch {}
}

export const TerminalLobby = async ({ client }) => {
  // By conversation, whether a user speaks there: those of sub-agents have a parent.
  const main = new Map();
  const isMain = async (id) => {
    if (!main.has(id)) {
      const found = await client.session.get({ path: { id } }).catch(() => undefined);
      if (!found?.data) return false;
      main.set(id, !found.data.parentID);
    }
    return main.get(id);
  };
  const states = { busy: "UserPromptSubmit", idle: "Stop" };
  return {
    event: async ({ event }) => {
      const { info, sessionID, status } = event.properties ?? {};
      if (event.type === "session.created" && info?.id) {
        main.set(info.id, !info.parentID);
        if (!info.parentID) report("SessionStart", info.id);
      } else if (event.type === "session.status" && states[status?.type] && (await isMain(sessionID))) {
        report(states[status.type], sessionID);
      }
    },
  };
};
