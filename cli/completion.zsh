#compdef nytprof
# Completion of nytprof for zsh.
_nytprof() {
    local line files=
    local -a described
    for line in "${(@f)$(${words[1]} __complete ${(@)words[2,CURRENT-1]} "$PREFIX" 2>/dev/null)}"; do
        case $line in
            '') ;;
            :files) files=yes ;;
            *) described+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}") ;;
        esac
    done
    (( $#described )) && _describe -V nytprof described
    [[ -n $files ]] && _files
}
if [[ $funcstack[1] = _nytprof ]]; then _nytprof "$@"; else compdef _nytprof nytprof; fi
