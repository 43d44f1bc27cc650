/// Shells that complete command lines of pm.
enum CompletionShell: String, CaseIterable {
    case bash
    case zsh
    case fish

    /// The options of the parser that ask for a script.
    private static let option = "--generate-completion-script"

    /// The shell for which a command line wants a script; nil for another command line, and for a shell that has none.
    init?(asked line: [String]) {
        guard let first = line.first, first.hasPrefix(Self.option) else { return nil }
        let value = first == Self.option ? line.dropFirst().first : String(first.dropFirst(Self.option.count + 1))
        self.init(rawValue: value ?? "")
    }

    /// The script: it only asks pm what fits at the cursor, so that pm decides it for all shells alike.
    var script: String {
        switch self {
        case .bash: Self.scriptOfBash
        case .zsh: Self.scriptOfZsh
        case .fish: Self.scriptOfFish
        }
    }

    private static let scriptOfBash = #"""
        #!/bin/bash
        # Completion of pm for bash. pm itself knows the words: the first line of its answer says whether a path fits
        # at the cursor too, and repeats the word there without quotes.
        _pm() {
            local answer paths prefix current line cut words
            COMPREPLY=()
            mapfile -t answer < <("${COMP_WORDS[0]/#\~/$HOME}" ---complete bash "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
            IFS=$'\t' read -r paths prefix current <<<"${answer[0]/$'\t\t'/$'\t\001\t'}"
            [ -n "$paths" ] || return 0
            # What bash replaces begins behind a sign that splits words, as = does.
            cut=${current%"$2"}
            [ "$cut$2" = "$current" ] || cut=
            for line in "${answer[@]:1}"; do
                line=${line%%$'\t'*}
                COMPREPLY+=("${line#"$cut"}")
            done
            [ "$paths" != none ] || return 0
            if [ "${#COMPREPLY[@]}" -eq 0 ]; then
                case $paths in
                files) compopt -o default ;;
                directories) compopt -o dirnames ;;
                esac
                return 0
            fi
            mapfile -t words < <(compgen -f -- "${current#"$cut"}")
            [ "${#words[@]}" -gt 0 ] || return 0
            compopt -o filenames
            COMPREPLY+=("${words[@]}")
        }
        complete -F _pm pm
        """#

    private static let scriptOfZsh = #"""
        #compdef pm
        # Completion of pm for zsh. pm itself knows the words: the first line of its answer says whether a path fits at
        # the cursor too, and behind which part of the word.
        _pm() {
            local -a answer before described
            local line paths prefix tab=$'\t' status_=1
            (( CURRENT > 2 )) && before=("${(@Q)words[2,CURRENT-1]}")
            answer=("${(@f)$(${~words[1]} ---complete zsh "${before[@]}" "${(Q)PREFIX}" 2>/dev/null)}")
            paths=${answer[1]%%$tab*}
            prefix=${${answer[1]#*$tab}%%$tab*}
            for line in "${(@)answer[2,-1]}"; do
                described+=("${${line%%$tab*}//:/\\:}:${line#*$tab}")
            done
            (( $#described )) && _describe -t words 'word' described && status_=0
            [[ -n $prefix ]] && compset -P "${(b)prefix}"
            case $paths in
            files) _files && status_=0 ;;
            directories) _files -/ && status_=0 ;;
            esac
            return status_
        }
        if [ "$funcstack[1]" = "_pm" ]; then
            _pm "$@"
        else
            compdef _pm pm
        fi
        """#

    private static let scriptOfFish = #"""
        # Completion of pm for fish. pm itself knows the words: the first line of its answer says whether a path fits at
        # the cursor too, and behind which part of the word.
        function __pm_complete
            set -l words (commandline -opc)
            set -l program $words[1]
            set -e words[1]
            set -l current (commandline -ct)
            set -l answer ($program ---complete fish $words "$current" 2>/dev/null)
            set -q answer[1]; or return
            set -l head (string split \t -- $answer[1])
            set -e answer[1]
            string collect -- $answer
            set -l start (string sub -s (math 1 + (string length -- "$head[2]")) -- "$current")
            switch $head[1]
                case files
                    for path in (__fish_complete_path "$start")
                        echo -- $head[2]$path
                    end
                case directories
                    for path in (__fish_complete_directories "$start" '')
                        echo -- $head[2]$path
                    end
            end
        end
        complete -c pm -e
        complete -c pm -f -a '(__pm_complete)'
        """#
}
