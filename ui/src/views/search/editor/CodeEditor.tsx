/** CodeMirror for TraceQL: colours by our own tokens, offers and squiggles by the server. */
import { acceptCompletion, autocompletion, closeBrackets, type Completion, type CompletionContext, type CompletionResult, completionStatus, moveCompletionSelection, selectedCompletionIndex, startCompletion } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, insertNewlineAndIndent } from "@codemirror/commands";
import { type Diagnostic as Squiggle, setDiagnostics } from "@codemirror/lint";
import { Annotation, EditorState, type Range } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, keymap, placeholder, ViewPlugin, type ViewUpdate } from "@codemirror/view";
import { type RefObject, useEffect, useLayoutEffect, useRef } from "react";
import { fetchOffers } from "../../../api/client.ts";
import type { Diagnosis } from "../../../model/diagnosis.ts";
import { tokens } from "../../../query/tokens.ts";
import { boundsOf } from "../../../state/hits.ts";
import styles from "./Editor.module.css";
import { classOf } from "./highlight.ts";
import { type EditorProps, LABEL, placeToGoOn, PLACEHOLDER } from "./QueryField.tsx";

/** Marks changes that come from outside, which are not typing. */
const fromOutside = Annotation.define<true>();

export function CodeEditor(props: EditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const latest = useRef(props);
  useLayoutEffect(() => {
    latest.current = props;
  });
  // In the commit that takes the plain field away, so that no letter falls between the two.
  useLayoutEffect(() => {
    if (!host.current) return;
    const { value, caret, focusEditor } = latest.current;
    const editor = new EditorView({ parent: host.current, state: EditorState.create({ doc: value, extensions: extensions(latest) }) });
    view.current = editor;
    focusEditor.current = () => {
      editor.focus();
      editor.dispatch({ selection: { anchor: placeToGoOn(editor.state.doc.toString()) } });
    };
    if (caret.current !== null) {
      editor.dispatch({ selection: { anchor: Math.min(caret.current, editor.state.doc.length) } });
      editor.focus();
    }
    return () => editor.destroy();
  }, []);
  const { value, diagnosis } = props;
  // At once: a letter typed between a commit and its effect would be taken back by the value before it.
  useLayoutEffect(() => {
    const editor = view.current;
    if (!editor || editor.state.doc.toString() === value) return;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value }, annotations: fromOutside.of(true) });
  }, [value]);
  useEffect(() => {
    const editor = view.current;
    if (editor) editor.dispatch(setDiagnostics(editor.state, squiggles(diagnosis, editor.state.doc.toString())));
  }, [diagnosis]);
  return <div ref={host} className={styles.host} />;
}

function extensions(latest: RefObject<EditorProps>) {
  return [
    history(),
    closeBrackets(),
    EditorView.lineWrapping,
    placeholder(PLACEHOLDER),
    EditorView.contentAttributes.of({ "aria-label": LABEL, spellcheck: "false" }),
    colours,
    autocompletion({ override: [(context) => offers(context, latest.current)], icons: false, selectOnOpen: false, activateOnTypingDelay: 150, activateOnCompletion: () => true }),
    keymap.of([
      { key: "Tab", run: acceptFirst },
      // Reached only when no offer is chosen: Enter runs what is written.
      { key: "Enter", run: (editor) => run(editor, latest.current) },
      { key: "Mod-Enter", run: (editor) => run(editor, latest.current) },
      { key: "Shift-Enter", run: insertNewlineAndIndent },
      { key: "Ctrl-Space", run: startCompletion },
      { key: "Escape", run: (editor) => leave(editor, latest.current) },
      ...historyKeymap,
      ...defaultKeymap,
    ]),
    EditorView.updateListener.of((update) => {
      const isTyped = update.docChanged && !update.transactions.some((transaction) => transaction.annotation(fromOutside));
      if (isTyped) latest.current.onChange(update.state.doc.toString());
    }),
  ];
}

/** Tab takes the chosen offer or the first; with none it leaves the field, as anywhere. */
function acceptFirst(editor: EditorView): boolean {
  if (completionStatus(editor.state) !== "active") return false;
  if (selectedCompletionIndex(editor.state) === null) moveCompletionSelection(true)(editor);
  return acceptCompletion(editor);
}

function run(editor: EditorView, { onRun }: EditorProps): boolean {
  onRun(editor.state.doc.toString());
  return true;
}

/** An open list of offers takes the first Escape. */
function leave(editor: EditorView, { onLeave }: EditorProps): boolean {
  if (completionStatus(editor.state) === "active") return false;
  onLeave();
  editor.contentDOM.blur();
  return true;
}

/** Queries are short: all of a text is coloured at each change. */
const colours = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;
    constructor(editor: EditorView) {
      this.decorations = coloured(editor.state.doc.toString());
    }
    update(update: ViewUpdate): void {
      if (update.docChanged) this.decorations = coloured(update.state.doc.toString());
    }
  },
  { decorations: (plugin) => plugin.decorations },
);

function coloured(text: string): DecorationSet {
  const marks = tokens(text).flatMap((token): Range<Decoration>[] => {
    const name = classOf(token);
    return name === undefined ? [] : [Decoration.mark({ class: name }).range(token.from, token.to)];
  });
  return Decoration.set(marks);
}

async function offers(context: CompletionContext, { range }: EditorProps): Promise<CompletionResult | null> {
  const text = context.state.doc.toString();
  const isAsked = context.explicit || context.matchBefore(/[\w.:"{(=~<>&|@/-]\s?/) !== null;
  if (!isAsked) return null;
  const stop = new AbortController();
  context.addEventListener("abort", () => stop.abort());
  try {
    const { from, to, items } = await fetchOffers(text, context.pos, boundsOf(range, Date.now()), stop.signal);
    const options = items.map((item): Completion => ({ label: item.text, detail: item.detail || item.kind }));
    return { from, to, options, filter: false };
  } catch {
    // No offers is all there is to tell: the next letter asks again.
    return null;
  }
}

function squiggles(diagnosis: Diagnosis | null, text: string): readonly Squiggle[] {
  if (diagnosis?.query !== text) return [];
  return diagnosis.diagnostics.map(({ severity, message, hint, from, to, fixes }) => ({
    // What is missing has no letters: the one before is marked.
    from: from === to && from > 0 ? from - 1 : from,
    to: Math.min(Math.max(to, from + (from > 0 ? 0 : 1)), text.length),
    severity,
    message: hint === "" ? message : `${message} (${hint})`,
    actions: fixes.map((fix) => ({
      name: fix.text === "" ? "remove" : `write ${fix.text}`,
      apply: (editor) => editor.dispatch({ changes: { from: fix.from, to: fix.to, insert: fix.text } }),
    })),
  }));
}
