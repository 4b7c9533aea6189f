# Completion of nytprof for fish.
function __nytprof_complete
    set -l words (commandline -opc) (commandline -ct)
    $words[1] __complete $words[2..-1] 2>/dev/null
end
complete -c nytprof -f -a '(__nytprof_complete | string match -v :files)'
complete -c nytprof -n '__nytprof_complete | string match -q :files' -F
