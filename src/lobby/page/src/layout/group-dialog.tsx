/** Asks for the name of a group: of a new one, maybe with a session in it, or another name for one that is there. */

import { createSignal } from "solid-js";
import { Dialog } from "../dialog";
import { arrange, layout, layoutProblem } from "./state";
import { text } from "./text";

const randomId = (): string => Array.from(crypto.getRandomValues(new Uint8Array(4)), (byte) => byte.toString(16).padStart(2, "0")).join("");

export function GroupDialog(props: { group?: string | undefined; session?: string | undefined; close(): void }) {
  const known = layout().groups.find((group) => group.id === props.group);
  const [name, setName] = createSignal(known?.name ?? "");
  const submit = async (): Promise<void> => {
    const session = props.session;
    if (known) await arrange({ type: "rename_group", group: known.id, name: name() });
    else await arrange({ type: "add_group", group: randomId(), name: name(), ...(session && { session }) });
    if (layoutProblem()) throw new Error(layoutProblem());
  };
  return (
    <Dialog title={known ? text.rename : text.newGroup} act={known ? text.rename : text.create} close={props.close} submit={submit}>
      <label>
        {text.groupName}
        <input value={name()} onInput={(event) => setName(event.currentTarget.value)} maxlength={64} required autofocus />
      </label>
    </Dialog>
  );
}
