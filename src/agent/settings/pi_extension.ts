// Says which conversation this pi runs, and what it does. Nothing here waits for the program that is started.
import { spawn } from "node:child_process";

const command: string[] = ["COMMAND"];

function report(hook_event_name: string, ctx: any, reason?: string) {
  try {
    // A pi that answers once speaks for no terminal.
    if (!ctx.hasUI) return;
    const session_id = ctx.sessionManager.getSessionId();
    const options = { detached: true, stdio: ["pipe", "ignore", "ignore"] } as any;
    const child = spawn(command[0], command.slice(1), options);
    child.on("error", () => {});
    child.stdin?.on("error", () => {});
    child.stdin?.end(JSON.stringify({ session_id, hook_event_name, reason }));
    child.unref();
  } catch {}
}

export default function (pi: any) {
  pi.on("session_start", (_event: any, ctx: any) => report("SessionStart", ctx));
  pi.on("agent_start", (_event: any, ctx: any) => report("UserPromptSubmit", ctx));
  pi.on("agent_end", (_event: any, ctx: any) => report("Stop", ctx));
  pi.on("session_shutdown", (event: any, ctx: any) => {
    // A signal ends it with the same reason.
    if (event.reason === "quit") report("SessionEnd", ctx, "other");
  });
}
