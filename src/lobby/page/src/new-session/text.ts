/** The texts of the input that begins a new session. */

import { translated } from "../language";

export const text = {
  what: "What is to be done?",
  hint: "Enter starts an agent with it, Ctrl-Enter opens it, too; Shift-Enter begins a line",
  directory: "Directory",
  agent: "Agent",
  model: "Model",
  ownModel: "its own model",
  otherModel: "Another model…",
  otherModelPrompt: "Name of the model, as the agent knows it",
  start: "Start",
  starting: "It is started…",
  started: (name: string) => `${name} is started.`,
  all: "All choices…",
  noAgents: "No agent is installed for you here: a new session has a shell.",
  spares: "New sessions",
  sparesHint:
    "An agent can be kept ready for the next session in a directory where you began one, so that its first prompt is read at once. It takes memory, is in no snapshot, and is ended after half an hour, or when memory is short.",
  sparesCount: "Agents kept ready",
  sparesNone: "none",
};

translated("newSession", { text });
