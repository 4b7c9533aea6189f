# Completion of nytprof for bash.
_nytprof()
{
    # bash makes three words of --option=value.
    local i word words=() line files=
    for ((i = 1; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if ((${#words[@]})) && [[ $word == = || ${COMP_WORDS[i-1]} == = ]]; then
            words[${#words[@]}-1]+=$word
        else
            words+=("$word")
        fi
    done
    word=${COMP_WORDS[COMP_CWORD]}
    [[ $word == = ]] && word=
    local before=${words[${#words[@]}-1]%"$word"}
    COMPREPLY=()
    while IFS= read -r line; do
        case $line in
            :files) files=yes ;;
            *) line=${line%%$'\t'*}; COMPREPLY+=("${line#"$before"}") ;;
        esac
    done < <("${COMP_WORDS[0]}" __complete "${words[@]}" 2>/dev/null)
    [[ $files ]] || compopt +o default 2>/dev/null
}
complete -o default -F _nytprof nytprof
