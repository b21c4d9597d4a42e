import { completionPlaces, quoteShell, valueOptions, type Described, type Place } from './tree.ts';

/** A script for `~/.bashrc`: `source <(moss completion bash)`. */
export function bashScript(): string {
  const places = completionPlaces();
  return `# moss completion for bash: source <(moss completion bash)
_moss_words() {
  case "$1" in
${cases(places, ({ words }) => wordList(words))}
    *) return 1 ;;
  esac
}
_moss_options() {
  case "$1" in
${cases(places, ({ options }) => wordList(options))}
    *) return 1 ;;
  esac
}
_moss_kind() {
  case "$1" in
${cases(places.filter(({ completes }) => completes !== undefined), ({ completes }) => completes ?? '')}
  esac
}
_moss() {
  local cur=\${COMP_WORDS[COMP_CWORD]} path='' word kind i
  local -a root=()
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case "$word" in
      --) COMPREPLY=($(compgen -c -- "$cur")); return ;;
      -D | --root) i=$((i + 1)); root=(--root "\${COMP_WORDS[i]}") ;;
      ${valueOptions().filter((option) => option !== '-D' && option !== '--root').join(' | ')}) i=$((i + 1)) ;;
      -*) ;;
      *) if _moss_words "\${path:+$path }$word" > /dev/null; then path="\${path:+$path }$word"; fi ;;
    esac
  done
  case "\${COMP_WORDS[COMP_CWORD - 1]}" in
    ${valueOptions().join(' | ')}) compopt -o filenames 2> /dev/null; COMPREPLY=($(compgen -f -- "$cur")); return ;;
  esac
  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$(_moss_options "$path")" -- "$cur"))
    return
  fi
  kind=$(_moss_kind "$path")
  case "$kind" in
    '') COMPREPLY=($(compgen -W "$(_moss_words "$path")" -- "$cur")) ;;
    files) compopt -o filenames 2> /dev/null; COMPREPLY=($(compgen -f -- "$cur")) ;;
    directories) compopt -o filenames 2> /dev/null; COMPREPLY=($(compgen -d -- "$cur")) ;;
    *) COMPREPLY=($(compgen -W "$(moss \${root[@]+"\${root[@]}"} complete "$kind" 2> /dev/null)" -- "$cur")) ;;
  esac
}
complete -F _moss moss
`;
}

function cases(places: readonly Place[], value: (place: Place) => string): string {
  return places.map((place) => `    ${place.paths.map((path) => quoteShell(path)).join(' | ')}) echo ${quoteShell(value(place))} ;;`).join('\n');
}

function wordList(words: readonly Described[]): string {
  return words.map(({ word }) => word).join(' ');
}
