# bash completion for ackd; written by tests/papers from the command line's own definition

_ackd() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words= command= action= at
  if [[ $word == = ]]; then
    word=
  elif [[ $before == = ]]; then
    before=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  case $before in
    --config)
      compopt -o filenames 2> /dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$word")
      return
      ;;
    --channel|--limit|--since|--bot|--days|--listen|--faults|--seed|--to) return ;;
  esac
  for ((at = 1; at < COMP_CWORD; at++)); do
    case ${COMP_WORDS[at]} in
      --config|--channel|--limit|--since|--bot|--days|--listen|--faults|--seed|--to)
        [[ ${COMP_WORDS[at + 1]} != = ]] || ((at++))
        ((at++))
        ;;
      -*) ;;
      *) if [[ -z $command ]]; then command=${COMP_WORDS[at]}; else action=${COMP_WORDS[at]}; fi ;;
    esac
  done
  case $command in
    '') words='run check reload send events why replay resolve webhook doctor top login solar try twin help --config -v --verbose -h --help -V --version' ;;
    help) [[ -n $action ]] || words='run check reload send events why replay resolve webhook doctor top login solar try twin' ;;
    run) words='--config -v --verbose -h --help -V --version' ;;
    check) words='--config -v --verbose -h --help -V --version' ;;
    reload) words='--config -v --verbose -h --help -V --version' ;;
    send) words='--config -v --verbose -h --help -V --version' ;;
    events) words='--dead --unknown --all --channel --limit --follow --config -v --verbose -h --help -V --version' ;;
    why) words='--config -v --verbose -h --help -V --version' ;;
    replay) words='--dead --dry --since --config -v --verbose -h --help -V --version' ;;
    resolve) words='--dead --unknown --config -v --verbose -h --help -V --version' ;;
    webhook) words='--config -v --verbose -h --help -V --version'
      [[ -n $action ]] || words="list create sync delete $words"
      ;;
    doctor) words='--config -v --verbose -h --help -V --version' ;;
    top) words='--config -v --verbose -h --help -V --version' ;;
    login) words='--config -v --verbose -h --help -V --version' ;;
    solar) words='--bot --days --config -v --verbose -h --help -V --version'
      [[ -n $action ]] || words="invite people remove $words"
      ;;
    try) words='--keep --listen --faults --seed --config -v --verbose -h --help -V --version' ;;
    twin) words='--to --listen --faults --seed --config -v --verbose -h --help -V --version' ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _ackd ackd
