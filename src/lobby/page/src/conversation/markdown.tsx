/** Markdown as elements: nothing that is written in it becomes markup of the page. */

import { For, type JSX, Match, Show, Switch, createMemo } from "solid-js";
import { type Token, type Tokens, lexer } from "marked";
import { text } from "../text-later";

const isLink = (address: string): boolean => /^https?:\/\//i.test(address);

export function Markdown(props: { text: string }) {
  const tokens = createMemo(() => levelled(lexer(props.text)));
  return <Blocks tokens={tokens()} />;
}

/** The largest heading of a message is one below the message's own, whatever it was written as. */
function levelled(tokens: Token[]): Token[] {
  const headings = tokens.filter((token): token is Tokens.Heading => token.type === "heading");
  const above = Math.min(...headings.map((heading) => heading.depth)) - 1;
  for (const heading of headings) heading.depth -= above;
  return tokens;
}

function Blocks(props: { tokens: Token[] }) {
  return <For each={props.tokens}>{(token) => block(token)}</For>;
}

function block(token: Token): JSX.Element {
  switch (token.type) {
    case "space":
    case "def":
      return null;
    case "hr":
      return <hr />;
    case "heading": {
      const { depth, tokens } = token as Tokens.Heading;
      // The page has headings of its own above.
      return (
        <p class="heading" role="heading" aria-level={Math.min(depth + 2, 6)}>
          <Inline tokens={tokens} />
        </p>
      );
    }
    case "paragraph":
      return (
        <p>
          <Inline tokens={(token as Tokens.Paragraph).tokens} />
        </p>
      );
    case "code":
      return <Code {...(token as Tokens.Code)} />;
    case "blockquote":
      return (
        <blockquote>
          <Blocks tokens={(token as Tokens.Blockquote).tokens} />
        </blockquote>
      );
    case "list":
      return <List {...(token as Tokens.List)} />;
    case "table":
      return <Table {...(token as Tokens.Table)} />;
    case "text": {
      const { tokens, text } = token as Tokens.Text;
      return <Show when={tokens} fallback={text}>{(inner) => <Inline tokens={inner()} />}</Show>;
    }
    default:
      return <p>{token.raw}</p>;
  }
}

function Code(props: Tokens.Code) {
  const copy = (): void => void navigator.clipboard?.writeText(props.text).catch(() => undefined);
  return (
    <div class="code">
      <span class="note">{props.lang ?? ""}</span>
      <button type="button" class="quiet" onClick={copy}>
        {text.copy}
      </button>
      <pre tabindex="0">
        <code>{props.text}</code>
      </pre>
    </div>
  );
}

function List(props: Tokens.List) {
  const items = () => (
    <For each={props.items}>
      {(item) => (
        <li>
          <Show when={item.task}>{item.checked ? "☑ " : "☐ "}</Show>
          <Blocks tokens={item.tokens} />
        </li>
      )}
    </For>
  );
  return (
    <Show when={props.ordered} fallback={<ul>{items()}</ul>}>
      <ol start={Number(props.start) || 1}>{items()}</ol>
    </Show>
  );
}

function Table(props: Tokens.Table) {
  return (
    <div class="wide" tabindex="0">
      <table>
        <thead>
          <tr>
            <For each={props.header}>
              {(cell) => (
                <th>
                  <Inline tokens={cell.tokens} />
                </th>
              )}
            </For>
          </tr>
        </thead>
        <tbody>
          <For each={props.rows}>
            {(row) => (
              <tr>
                <For each={row}>
                  {(cell) => (
                    <td>
                      <Inline tokens={cell.tokens} />
                    </td>
                  )}
                </For>
              </tr>
            )}
          </For>
        </tbody>
      </table>
    </div>
  );
}

function Inline(props: { tokens: Token[] }) {
  return <For each={props.tokens}>{(token) => inline(token)}</For>;
}

function inline(token: Token): JSX.Element {
  const inner = (): JSX.Element => <Inline tokens={(token as Tokens.Strong).tokens} />;
  switch (token.type) {
    case "strong":
      return <strong>{inner()}</strong>;
    case "em":
      return <em>{inner()}</em>;
    case "del":
      return <del>{inner()}</del>;
    case "br":
      return <br />;
    case "codespan":
      return <code>{(token as Tokens.Codespan).text}</code>;
    case "link":
    case "image": {
      const { href } = token as Tokens.Link;
      const shown = (): JSX.Element => (token.type === "link" ? inner() : (token as Tokens.Image).text || href);
      return (
        <Switch fallback={token.raw}>
          <Match when={isLink(href)}>
            <a href={href} title={href} target="_blank" rel="noopener noreferrer">
              {shown()}
            </a>
          </Match>
        </Switch>
      );
    }
    case "escape":
      return (token as Tokens.Escape).text;
    case "text": {
      const { tokens, text } = token as Tokens.Text;
      return <Show when={tokens} fallback={text}>{(inner) => <Inline tokens={inner()} />}</Show>;
    }
    default:
      return token.raw;
  }
}
