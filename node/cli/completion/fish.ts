import { completionPlaces, valueOptions, type Place } from './tree.ts';

/** A script for `~/.config/fish/completions/moss.fish`. */
export function fishScript(): string {
  const places = completionPlaces();
  return `# moss completion for fish: moss completion fish > ~/.config/fish/completions/moss.fish
function __moss_path
    set -l place ''
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
            continue
        end
        switch $word
            case ${valueOptions().join(' ')}
                set skip 1
            case '-*'
            case '*'
                set -l next (string trim -- "$place $word")
                if contains -- $next ${places.flatMap(({ paths }) => paths.filter((path) => path !== '').map(quoteFish)).join(' ')}
                    set place $next
                end
        end
    end
    echo $place
end
function __moss_at
    contains -- (__moss_path) $argv
end
function __moss_names
    moss complete $argv[1] 2>/dev/null
end
complete -c moss -f
${places.flatMap((place) => linesOf(place)).join('\n')}
`;
}

function linesOf(place: Place): string[] {
  const at = `complete -c moss -n ${quoteFish(`__moss_at ${place.paths.map(quoteFish).join(' ')}`)}`;
  return [
    ...place.words.map(({ word, meaning }) => `${at} -a ${quoteFish(word)} -d ${quoteFish(meaning)}`),
    ...place.options.map(({ word, meaning }) => `${at} ${word.startsWith('--') ? '-l' : '-s'} ${quoteFish(word.replace(/^-+/, ''))} -d ${quoteFish(meaning)}`),
    ...(place.completes === undefined ? [] : [argumentLine(at, place.completes)]),
  ];
}

function argumentLine(at: string, completes: string): string {
  if (completes === 'files') return `${at} -F`;
  if (completes === 'directories') return `${at} -a '(__fish_complete_directories)'`;
  return `${at} -a ${quoteFish(`(__moss_names ${completes})`)}`;
}

function quoteFish(text: string): string {
  return `'${text.replaceAll(/[\\']/g, String.raw`\$&`)}'`;
}
