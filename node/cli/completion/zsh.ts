import { completionPlaces, quoteShell, valueOptions, type Described, type Place } from './tree.ts';

/** A script for a directory in `$fpath`, or for `source <(moss completion zsh)`. */
export function zshScript(): string {
  const places = completionPlaces();
  const values = valueOptions();
  return `#compdef moss
# moss completion for zsh: source <(moss completion zsh), or save it as _moss in a directory of $fpath
_moss_words() {
  case "$1" in
${cases(places, ({ words }) => descriptions(words))}
    *) return 1 ;;
  esac
}
_moss_options() {
  case "$1" in
${cases(places, ({ options }) => descriptions(options))}
    *) return 1 ;;
  esac
}
_moss_kind() {
  case "$1" in
${places.filter(({ completes }) => completes !== undefined).map((place) => `    ${patterns(place)}) reply=(${place.completes ?? ''}) ;;`).join('\n')}
    *) reply=() ;;
  esac
}
_moss() {
  local path_so_far='' word i
  local -a reply root names
  for ((i = 2; i < CURRENT; i++)); do
    word=$words[i]
    case "$word" in
      --) shift $i words; ((CURRENT -= i)); _normal; return ;;
      -D | --root) ((i++)); root=(--root "$words[i]") ;;
      ${values.filter((option) => option !== '-D' && option !== '--root').join(' | ')}) ((i++)) ;;
      -*) ;;
      *) if _moss_words "\${path_so_far:+$path_so_far }$word"; then path_so_far="\${path_so_far:+$path_so_far }$word"; fi ;;
    esac
  done
  case "$words[CURRENT-1]" in
    ${values.join(' | ')}) _files; return ;;
  esac
  if [[ $PREFIX == -* ]]; then
    _moss_options "$path_so_far"
    _describe option reply
    return
  fi
  _moss_kind "$path_so_far"
  case "$reply[1]" in
    '') _moss_words "$path_so_far"; _describe verb reply ;;
    files) _files ;;
    directories) _files -/ ;;
    *) names=(\${(f)"$(moss $root complete $reply[1] 2> /dev/null)"}); compadd -a names ;;
  esac
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _moss "$@"; else compdef _moss moss; fi
`;
}

function cases(places: readonly Place[], value: (place: Place) => string): string {
  return places.map((place) => `    ${patterns(place)}) reply=(${value(place)}) ;;`).join('\n');
}

function patterns({ paths }: Place): string {
  return paths.map((path) => quoteShell(path)).join(' | ');
}

/** "word:meaning", as _describe takes it. */
function descriptions(words: readonly Described[]): string {
  return words.map(({ word, meaning }) => quoteShell(`${word}:${meaning.replaceAll(':', String.raw`\:`)}`)).join(' ');
}
