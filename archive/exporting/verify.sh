#!/bin/sh
# shellcheck disable=SC2015,SC2016  # what stands after || is meant for either failure; $p in quotes is jq's
# verify.sh DIR [TRUST [CHECKPOINT]]: checks an evidence export without the program that made it.
#
# TRUST is the trust file, or its SHA-256 digest, that you were given BY ANOTHER WAY than DIR. Without it everything is
# held against the keys that DIR brings itself, which anybody can make up: the most that is said then is
# "self-consistent only". CHECKPOINT is one that you kept from before: the log must go on from it.
#
# Exit 0 holds, 1 does not hold, 2 cannot be run, 3 self-consistent only.
# Needs sh, coreutils, find, grep, awk, sed, jq, OpenSSL 3. Writes to a temporary folder of its own and nowhere else.
# The formats are in docs/manifest.md of Counterproof.
set -eu
LC_ALL=C PATH=${PATH:-/usr/bin:/bin}
export LC_ALL PATH
unset CDPATH
IFS='
 	'

usage() { printf '%s\n' "usage: sh verify.sh DIR [TRUST-FILE|ITS-SHA256 [CHECKPOINT]]" >&2; exit 2; }
cannot() { printf 'cannot be checked: %s\n' "$*" >&2; exit 2; }
case $# in 1 | 2 | 3) ;; *) usage ;; esac
for tool in jq openssl sha256sum awk sed base64 od find grep sort comm join cmp head tail wc date mktemp tr cut; do
  command -v "$tool" >/dev/null || cannot "$tool is not installed"
done
case $(openssl version) in OpenSSL\ [3-9]*) ;; *) cannot "OpenSSL 3 is needed, there is $(openssl version)" ;; esac

absolute() { case $1 in /*) printf '%s' "$1" ;; *) printf '%s/%s' "$PWD" "$1" ;; esac; }
DIR=$(absolute "$1") GIVEN='' DIGEST='' KEPT=''
case ${2-} in
  '') ;;
  *) plain=${2#sha256:}
     if [ ${#plain} -eq 64 ] && ! printf '%s' "$plain" | grep -q '[^0-9a-f]'; then DIGEST=$plain
     else GIVEN=$(absolute "$2"); [ -f "$GIVEN" ] || cannot "there is no trust file $2"; fi ;;
esac
[ -z "${3-}" ] || { KEPT=$(absolute "$3"); [ -f "$KEPT" ] || cannot "there is no checkpoint $3"; }
cd "$DIR" 2>/dev/null || cannot "there is no folder $1 (a zip has to be unpacked first)"

T=$(mktemp -d "${TMPDIR:-/tmp}/verify.XXXXXXXX")
trap 'rm -rf "$T"' EXIT # what the script exits with stays
trap 'exit 2' HUP INT TERM
mkdir "$T/keys" "$T/roots" "$T/people" "$T/revoked" "$T/payload"
for name in acts bad begun blamed chain claims.contents claims.payload claims.tags differ.contents differ.payload differ.tags displaced disposed ends exports ids listed needed openings packages places recorded scopes stampable stamped starts told wanted; do
  : >"$T/$name"
done

# Words

say() { printf '%s\n' "$*" | tr -cd '[:print:]\n'; }
ok() { say "OK    $*"; }
note() { say "NOTE  $*"; }
bad() { say "FAIL  $*"; printf '%s\n' "$1" >>"$T/bad"; }
blame() { printf '%s\n' "$1" >>"$T/blamed"; }   # a file that was named for its own fault
faults() { wc -l <"$T/bad"; }
is_hex() { case $1 in *[!0-9a-f]*) return 1 ;; esac; [ ${#1} -eq 64 ]; }
is_number() { case $1 in '' | *[!0-9]* | 0?*) return 1 ;; esac; [ ${#1} -le 15 ]; }
each_failed() { while read -r line; do bad "$1 $line"; done; }

# Bytes

sha() { sha256sum <"$1" | cut -c1-64; }
hash() { openssl dgst -sha256 -binary; }
node_hash() { { printf '\001'; cat "$1" "$2"; } | hash >"$T/node"; mv "$T/node" "$3"; }
hex() { od -An -v -tx1 "$1" | tr -d ' \n'; }
length() { wc -c <"$1" | tr -d ' '; }
# 32 raw bytes of an Ed25519 key -> PEM (RFC 8410: the twelve bytes before them never change)
pem() { { printf '\060\052\060\005\006\003\053\145\160\003\041\000'; cat; } | openssl pkey -pubin -inform DER 2>/dev/null; }
signed_by() { openssl pkeyutl -verify -pubin -inkey "$1" -rawin -in "$2" -sigfile "$3" >/dev/null 2>&1; }

# 13 package: no file but those that a list names, each as it is listed

N='(0|[1-9][0-9]{0,15})' H='[0-9a-f]{64}' A='[a-z0-9][a-z0-9.-]{0,63}' S='[a-z0-9][a-z0-9._-]{0,99}'
PAYLOAD="data/(artifacts/$S(/$S){0,2}|index\\.csv|tables/[a-z][a-z-]{0,39}\\.(csv|json|jsonld|xlsx)|custody/(entry-$N\\.(json|tlog-proof)|checkpoint(-$N)?(\\.$A\\.ts[qr])?|consistency-$N\\.txt"
PAYLOAD="$PAYLOAD|scopes\\.json|contents\\.txt|missing\\.json)|trust/(trust\\.json|log\\.pem|log\\.vkey|root-$H\\.pem|tsa-$A\\.pem))"
TAGS='(bagit\.txt|bag-info\.txt|manifest-sha256\.txt|tagmanifest-sha256\.txt|README\.txt|VERIFY\.md|verify\.sh)'

{ find . ! -type f ! -type d; find . -name '*[!A-Za-z0-9._-]*'; } >"$T/odd"
find . -type d | grep -Ev "^\\.(/data(/(artifacts(/$S(/$S)?)?|custody|tables|trust))?)?\$" >>"$T/odd" || :
if [ -s "$T/odd" ]; then
  each_failed PKG_UNSAFE <"$T/odd"
  say "does not hold"; exit 1
fi
find . -type f | sed 's|^\./||' | sort >"$T/files"
grep -Evx "$PAYLOAD|$TAGS" "$T/files" >"$T/extra" || :
each_failed PKG_EXTRA <"$T/extra"

# The paths of a list into $T/$2, and those of its files that are not as it says into $T/differ.$3
list() {
  [ -f "$1" ] || { bad "PKG_MEMBER $1 is not here"; return 0; }
  if grep -Evxq "$H  [A-Za-z0-9._/-]{1,255}" "$1" || [ -n "$(cut -c67- "$1" | sort | uniq -d)" ]; then
    bad "PKG_MEMBER $1 is no list of files"; return 0
  fi
  cut -c67- "$1" >>"$T/$2"
  grep '  data/artifacts/' "$1" >"$T/claims.$3" || :
  # A path that no export has is not opened, whatever it leads to.
  cut -c67- "$1" | grep -Evx "$PAYLOAD|$TAGS" | sort | comm -23 - "$T/files" >>"$T/differ.$3" || :
  grep -Ex "$H  ($PAYLOAD|$TAGS)" "$1" >"$T/checkable" || return 0
  sha256sum --check --strict --quiet "$T/checkable" 2>/dev/null | sed -n 's/: FAILED.*$//p' >>"$T/differ.$3" || :
}
list manifest-sha256.txt listed payload
list tagmanifest-sha256.txt listed tags
printf '%s\n' tagmanifest-sha256.txt >>"$T/listed"
sort -u "$T/listed" >"$T/listed.sorted"
if [ -f manifest-sha256.txt ] && [ -f tagmanifest-sha256.txt ]; then
  comm -23 "$T/files" "$T/listed.sorted" | comm -23 - "$T/extra" | each_failed PKG_EXTRA
fi
[ -f data/custody/contents.txt ] && list data/custody/contents.txt told contents
printf 'BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n' | cmp -s - bagit.txt || bad "PKG_MEMBER bagit.txt"

# 1 trust: whose keys are believed

OWN=data/trust/trust.json TRUST=$OWN
[ -f "$OWN" ] || { [ -n "$GIVEN" ] || { bad "TRUST_DIGEST there is no $OWN"; say "does not hold"; exit 1; }; }
own=$([ ! -f "$OWN" ] || sha "$OWN")
[ -z "$GIVEN" ] || { DIGEST=$(sha "$GIVEN"); TRUST=$GIVEN; }
if [ -n "$DIGEST" ] && [ "$DIGEST" != "$own" ]; then
  bad "TRUST_DIGEST $OWN is not the trust file that you were given ($DIGEST)"; blame "$OWN"
fi
jq -e '.v == 1 and (.log.vkey | type == "string") and .root.threshold >= 1 and (.root.keys | length) >= .root.threshold' \
  "$TRUST" >/dev/null 2>&1 || { bad "TRUST_DIGEST $TRUST is not a trust file"; say "does not hold"; exit 1; }
LOG=$(jq -r .log.name "$TRUST") VKEY=$(jq -r .log.vkey "$TRUST")
THRESHOLD=$(jq -r .root.threshold "$TRUST") PEOPLE=$(jq -r .people.threshold "$TRUST")
printf '%s' "$LOG" | grep -Eqx '[a-z0-9][a-z0-9./-]{0,199}' || cannot "the trust file names no log"
is_number "$THRESHOLD" && is_number "$PEOPLE" || cannot "the trust file has no thresholds"
SLUG=$(printf '%s' "$LOG" | tr / _)
LOG_ID=$(printf '%s' "$VKEY" | cut -d+ -f2)
printf '%s' "$VKEY" | cut -d+ -f3- | base64 -d 2>/dev/null | tail -c 32 | pem >"$T/log.pem" || cannot "the log's key cannot be read"
know() {   # base64 of a key, and a folder that marks it
  printf '%s' "$1" | base64 -d >"$T/raw" 2>/dev/null || return 1
  [ "$(length "$T/raw")" -eq 32 ] || return 1
  id=$(sha "$T/raw")
  [ -f "$T/keys/$id.pem" ] || pem <"$T/raw" >"$T/keys/$id.pem" || return 1
  [ -z "$2" ] || : >"$T/$2/$id"
}
for key in $(jq -r '.root.keys[].public_key' "$TRUST"); do know "$key" roots || cannot "a root key cannot be read"; done

# 2 checkpoint: a C2SP signed note of three lines, by the log's key

checkpoint() {   # file -> $SIZE and the root in $2; or 1 and a fault
  SIZE=''
  awk 'NR <= 3 && length($0) == 0 { exit 1 } NR == 4 && length($0) { exit 1 } NR > 4 && substr($0, 1, 4) != "\342\200\224 " { exit 1 }
       END { if (NR < 5) exit 1 }' "$1" 2>/dev/null || { bad "CP_FORMAT $1"; return 1; }
  head -n 3 "$1" >"$T/body"
  [ "$(sed -n 1p "$1")" = "$LOG" ] || { bad "CP_ORIGIN $1 is not of $LOG"; return 1; }
  SIZE=$(sed -n 2p "$1"); is_number "$SIZE" || { bad "CP_FORMAT $1"; return 1; }
  sed -n 3p "$1" | base64 -d >"$2" 2>/dev/null && [ "$(length "$2")" -eq 32 ] || { bad "CP_FORMAT $1"; return 1; }
  signed=0
  tail -n +5 "$1" | cut -d' ' -f2,3 >"$T/lines"
  while read -r name line; do
    [ "$name" = "$LOG" ] || continue
    printf '%s' "$line" | base64 -d >"$T/signature" 2>/dev/null || { bad "CP_FORMAT $1"; return 1; }
    head -c 4 "$T/signature" >"$T/id"
    [ "$(hex "$T/id")" = "$LOG_ID" ] || continue
    tail -c +5 "$T/signature" >"$T/sig"
    signed_by "$T/log.pem" "$T/body" "$T/sig" || { bad "CP_SIG $1"; return 1; }
    signed=1
  done <"$T/lines"
  [ "$signed" = 1 ] || { bad "CP_KEY $1 is not signed by the log's key"; return 1; }
}

C=data/custody/checkpoint TREE=''
if [ ! -f "$C" ]; then bad "CP_MISSING $C"
elif checkpoint "$C" "$T/root"; then TREE=$SIZE; ok "checkpoint of $TREE entries, signed by $LOG"
else blame "$C"; fi

# The hash lines of a proof, one a file, after its first lines; what follows its empty line must be the checkpoint.
proof_lines() {   # file, how many lines come before
  empty=$(awk 'length($0) == 0 { print NR; exit }' "$1")
  [ -n "$empty" ] && tail -n +$((empty + 1)) "$1" | cmp -s - "$C" || return 1
  sed -n "$(($2 + 1)),$((empty - 1))p" "$1" >"$T/hashes"
  [ "$empty" -gt "$2" ] && ! grep -Evxq '[A-Za-z0-9+/]{43}=' "$T/hashes" && [ "$(wc -l <"$T/hashes")" -le 63 ]
}

# RFC 9162 2.1.4.2: the tree of $1 leaves with the root in $2 is the beginning of the export's
goes_on() {
  proof=data/custody/consistency-$1.txt
  [ -f "$proof" ] || { bad "PROOF_MISSING $proof"; blame "$proof"; return 1; }
  [ "$(head -n 1 "$proof")" = "old $1" ] && proof_lines "$proof" 1 || { bad "PROOF_FORMAT $proof"; blame "$proof"; return 1; }
  consistent "$1" "$2" && return 0
  bad "LOG_INCONSISTENT the log of $TREE entries does not go on from the one of $1"; blame "$proof"
  return 1
}
consistent() {
  if [ "$1" -eq "$TREE" ]; then [ ! -s "$T/hashes" ] && cmp -s "$2" "$T/root"; return; fi
  if [ "$1" -eq 0 ]; then [ ! -s "$T/hashes" ] && printf '' | hash | cmp -s - "$2"; return; fi
  [ "$1" -lt "$TREE" ] || return 1
  fn=$(($1 - 1)) sn=$((TREE - 1)) first=1
  while [ $((fn & 1)) -eq 1 ]; do fn=$((fn >> 1)) sn=$((sn >> 1)); done
  if [ $(($1 & ($1 - 1))) -eq 0 ]; then cp "$2" "$T/fr"; cp "$2" "$T/sr"; first=0; fi
  while read -r line; do
    printf '%s' "$line" | base64 -d >"$T/c" || return 1
    if [ $first = 1 ]; then cp "$T/c" "$T/fr"; cp "$T/c" "$T/sr"; first=0; continue; fi
    [ "$sn" -ne 0 ] || return 1
    if [ $((fn & 1)) -eq 1 ] || [ "$fn" -eq "$sn" ]; then
      node_hash "$T/c" "$T/fr" "$T/fr"; node_hash "$T/c" "$T/sr" "$T/sr"
      while [ $((fn & 1)) -eq 0 ] && [ "$fn" -ne 0 ]; do fn=$((fn >> 1)) sn=$((sn >> 1)); done
    else node_hash "$T/sr" "$T/c" "$T/sr"; fi
    fn=$((fn >> 1)) sn=$((sn >> 1))
  done <"$T/hashes"
  [ $first = 0 ] && [ "$sn" -eq 0 ] && cmp -s "$T/fr" "$2" && cmp -s "$T/sr" "$T/root"
}

[ -z "$TREE" ] || printf '%s %s\n' "$TREE" "$C" >"$T/stampable"
grep -Ex "data/custody/checkpoint-$N" "$T/files" >"$T/earlier" || :
while read -r file; do
  size=${file##*-}
  if [ -z "$TREE" ]; then continue; fi
  checkpoint "$file" "$T/old" || { blame "$file"; continue; }
  [ "$SIZE" = "$size" ] && [ "$SIZE" -le "$TREE" ] || { bad "CP_SIZE $file"; blame "$file"; continue; }
  if goes_on "$size" "$T/old"; then printf '%s %s\n' "$size" "$file" >>"$T/stampable"; fi
done <"$T/earlier"
if [ -n "$KEPT" ] && [ -n "$TREE" ] && checkpoint "$KEPT" "$T/old"; then
  if [ "$SIZE" -gt "$TREE" ]; then bad "KEPT_UNPROVED your checkpoint is of $SIZE entries, the export of $TREE"
  elif [ "$SIZE" -eq "$TREE" ]; then
    if cmp -s "$T/old" "$T/root"; then ok "it is your checkpoint"; else bad "LOG_FORK two trees of $TREE entries"; fi
  elif goes_on "$SIZE" "$T/old"; then ok "the log goes on from your checkpoint of $SIZE entries"; fi
fi

# 9 time: each token judged at its own time, by the roots that the trust file has for its authority

stamp() {   # size, checkpoint file, token file, authority
  query=${3%.tsr}.tsq
  jq -j --arg id "$4" '.authorities[] | select(.id == $id) | .roots_pem' "$TRUST" >"$T/tsa.pem"
  if [ ! -s "$T/tsa.pem" ]; then note "$4: no roots in the trust file, so its token proves nothing"; return 0; fi
  openssl ts -reply -in "$3" -text >"$T/text" 2>/dev/null || return 1
  when=$(sed -n 's/^Time stamp: //p' "$T/text")
  seconds=$(date -d "$when" +%s 2>/dev/null) || return 1
  openssl ts -verify -data "$2" -in "$3" -CAfile "$T/tsa.pem" -attime "$seconds" >/dev/null 2>&1 || return 1
  openssl ts -verify -queryfile "$query" -in "$3" -CAfile "$T/tsa.pem" -attime "$seconds" >/dev/null 2>&1 || return 1
  jq -r --arg id "$4" '.authorities[] | select(.id == $id) | .pins[]' "$TRUST" >"$T/pins"
  if [ -s "$T/pins" ]; then
    openssl ts -reply -in "$3" -token_out -out "$T/token" 2>/dev/null || return 1
    openssl cms -verify -noverify -inform DER -in "$T/token" -signer "$T/signer" -out /dev/null 2>/dev/null || return 1
    openssl x509 -in "$T/signer" -outform DER 2>/dev/null | sha256sum | cut -c1-64 >"$T/pin"
    grep -qxF -f "$T/pin" "$T/pins" || return 1
  fi
  printf '%s %s\n' "$4" "$1" >>"$T/stamped"
  ok "$4 saw $1 entries at $when"
}
grep -Ex "data/custody/checkpoint(-$N)?\\.$A\\.tsr" "$T/files" >"$T/tokens" || :
while read -r token; do
  base=${token##*/} ; rest=${base#checkpoint}
  of=$(awk -v t="$token" 'index(t, $2 ".") == 1 && length($2) > best { best = length($2); found = $1 " " $2 } END { print found }' "$T/stampable")
  [ -n "$of" ] || { [ -z "$TREE" ] || note "$base: its checkpoint does not hold, so it is not judged"; continue; }
  size=${of%% *} cp=${of#* }
  case $rest in .*) [ "$cp" = "$C" ] || continue ;; esac
  authority=${token#"$cp".}; authority=${authority%.tsr}
  stamp "$size" "$cp" "$token" "$authority" || { bad "TS_SIG the token of $authority over $size entries does not hold"; blame "$token"; blame "${token%.tsr}.tsq"; }
done <"$T/tokens"

# 10 blobs, first half: which file is which blob, by its bytes; a name and a list only say what an altered one was

mkdir "$T/at"
find data/artifacts -type f -exec sha256sum {} + | sort -k2 >"$T/actual"
awk -v at="$T/at/" '!seen[$1]++ { print $2 > (at $1); close(at $1) }' "$T/actual"
{ awk '{ name = $2; sub(/^data\/artifacts\//, "", name) } name ~ /^[0-9a-f]+$/ && length(name) == 64 { print name "  " $2 }' "$T/actual"
  cat "$T/claims.contents" "$T/claims.payload"; } >"$T/claims"
place() { [ -f "$T/at/$1" ] && read -r where <"$T/at/$1"; }   # -> $where, of what is whole
is_here() {   # altered, and not gone
  sed -n "s|^$1  ||p" "$T/claims" | while read -r path; do if [ -f "$path" ]; then echo "$path"; fi; done | grep -q .
}
find data -type f -exec wc -c {} + | awk '$2 != "total" { print $2, $1 }' >"$T/sizes"

# 4 tree: every leaf by its proof, all of them level by level (RFC 9162 2.1.3.2): a process for each level, not for each hash

sed -n 's|^data/custody/entry-\([0-9]*\)\.json$|\1|p' "$T/files" | sort -n >"$T/indexes"
entries_before=$(faults)
mkdir "$T/leaf" "$T/level" "$T/unproved"
while read -r i; do { printf '\000'; cat "data/custody/entry-$i.json"; } >"$T/leaf/$i"; done <"$T/indexes"
sums() { find "$1" -type f -exec sha256sum {} + | sed 's|^\([0-9a-f]*\)  .*/\([0-9]*\)$|\2 \1|'; }   # index, hash
sums "$T/leaf" >"$T/leaves"

# A .tlog-proof as "index hash hash ...", if it is one, is of its own index, and leads to the very checkpoint
READ='
  BEGIN { for (v = 0; v < 64; v++) value[substr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", v + 1, 1)] = v
          while ((getline line < checkpoint) > 0) want[++wanted] = line
          while ((getline line < sizes) > 0) { split(line, part, " "); size[part[1]] = part[2] } }
  function hex(line,   at, out, v) {
    if (length(line) != 44 || substr(line, 44) != "=" || substr(line, 1, 43) !~ /^[A-Za-z0-9+\/]+$/) return ""
    for (at = 1; at < 41; at += 4)
      out = out sprintf("%06x", ((value[substr(line, at, 1)] * 64 + value[substr(line, at + 1, 1)]) * 64 + value[substr(line, at + 2, 1)]) * 64 + value[substr(line, at + 3, 1)])
    v = (value[substr(line, 41, 1)] * 64 + value[substr(line, 42, 1)]) * 64 + value[substr(line, 43, 1)]
    return v % 4 ? "" : out sprintf("%04x", v / 4) }
  function flush() { if (good && found == wanted && octets == size[name] + 0) print index_, path; good = 0 }
  FNR == 1 { flush(); name = FILENAME; index_ = name; sub(/^.*entry-/, "", index_); sub(/\.tlog-proof$/, "", index_)
             good = $0 == "c2sp.org/tlog-proof@v1"; path = ""; found = 0; after = 0; octets = 0; count = 0 }
  { octets += length($0) + 1 }
  FNR == 2 { if ($0 != "index " index_) good = 0 }
  FNR > 2 && after { if ($0 != want[++found]) good = 0; next }
  FNR > 2 && length($0) == 0 { after = 1; next }
  FNR > 2 { one = hex($0); if (one == "" || ++count > 63) good = 0; path = path " " one }
  END { flush() }'
# One step up. In: index fn sn hash path... Out: what is to be hashed, in octal; what is left; what has come to its end.
STEP='
  BEGIN { for (v = 0; v < 256; v++) octal[sprintf("%02x", v)] = sprintf("\\0%03o", v) }
  function bytes(hex,   at, out) { for (at = 1; at < 65; at += 2) out = out octal[substr(hex, at, 2)]; return out }
  NF < 5 { print $1, $3, $4 >> done; next }
  { fn = $2; sn = $3
    if (sn == 0) { print $1, 1, "-" >> done; next }
    if (fn % 2 == 1 || fn == sn) { both = bytes($5) bytes($4)
      while (fn % 2 == 0 && fn != 0) { fn = int(fn / 2); sn = int(sn / 2) } }
    else both = bytes($4) bytes($5)
    print $1, "\\0001" both >> todo
    $1 = $1 " " int(fn / 2) " " int(sn / 2); $2 = ""; $3 = ""; $4 = ""; $5 = ""
    print >> rest }'
if [ -n "$TREE" ]; then
  : >"$T/proofs"
  find data/custody -name 'entry-*.tlog-proof' -exec awk -v checkpoint="$C" -v sizes="$T/sizes" "$READ" {} + >"$T/proofs"
  sort -k1,1 "$T/proofs" >"$T/a"; sort -k1,1 "$T/leaves" >"$T/b"
  join "$T/b" "$T/a" | awk -v tree="$TREE" '$1 + 0 < tree { $2 = $1 " " tree - 1 " " $2; print }' >"$T/climb"
  : >"$T/done"
  while [ -s "$T/climb" ]; do
    : >"$T/todo"; : >"$T/rest"
    awk -v todo="$T/todo" -v rest="$T/rest" -v done="$T/done" "$STEP" "$T/climb"
    rm -rf "$T/level"; mkdir "$T/level"
    while read -r i octal; do printf '%b' "$octal" >"$T/level/$i"; done <"$T/todo"
    sums "$T/level" | sort -k1,1 >"$T/a"; sort -k1,1 "$T/rest" >"$T/b"
    join "$T/b" "$T/a" | awk '{ hash = $NF; $NF = ""; $3 = $3 " " hash; print }' >"$T/climb"
  done
  awk -v root="$(hex "$T/root")" '$2 + 0 == 0 && $3 == root { print $1 }' "$T/done" | sort >"$T/proved"
  cut -d' ' -f1 "$T/proofs" | sort >"$T/a"
  sort "$T/indexes" | comm -23 - "$T/proved" >"$T/b"
  while read -r i; do
    : >"$T/unproved/$i"
    if [ ! -f "data/custody/entry-$i.tlog-proof" ]; then bad "PROOF_MISSING entry $i"
    elif ! grep -qx "$i" "$T/a"; then bad "PROOF_FORMAT entry $i"
    else bad "PROOF_ROOT entry $i does not lead to the signed root"; fi
    blame "data/custody/entry-$i.json"
  done <"$T/b"
fi

# 5 leaves, 6 signatures

LINE='
  (try (.event.payload | @base64d | fromjson) catch null) as $s | ($s.predicate? // {}) as $p | ($s.subject[0]? // {}) as $b |
  (input_filename | ltrimstr("data/custody/entry-") | rtrimstr(".json")) as $i |
  if (.v == 1) and (.chains | length == 1) and (.event.payloadType == "application/vnd.in-toto+json") and
     (.event.signatures | length >= 1 and length <= 8) then
    [$i, .index, .log, .chains[0].scope, .chains[0].seq, .chains[0].prev, .event.payload,
     ([.event.signatures[] | "\(.keyid):\(.sig)"] | unique | join(" ")),
     ($s.predicateType? // "" | tostring | ltrimstr("https://counterproof.example/custody/")), $p.event_id, $p.chain, $p.run,
     $b.name?, $b.digest?.sha256?, $b.annotations?.bytes?, $p.body.capture?, $p.body.item?, $p.refs[0]?.payload_sha256?,
     $p.body.keyid?, $p.body.role?, $p.body.public_key?, "\($p.body.log?) \($p.body.vkey?)"]
    | map(if . == null or . == "" then "-" else tostring end) | @tsv
  else empty end'
find data/custody -name 'entry-*.json' -exec jq -r "$LINE" {} + >"$T/all" 2>/dev/null || {
  : >"$T/all"
  while read -r i; do jq -r "$LINE" "data/custody/entry-$i.json" >>"$T/all" 2>/dev/null || :; done <"$T/indexes"
}
sort -n -k1,1 "$T/all" >"$T/ordered"
cut -f1 "$T/ordered" | uniq -u | sort >"$T/a"   # one line for each, or it is no leaf
awk -F '\t' -v once="$T/a" 'BEGIN { while ((getline i < once) > 0) known[i] } $1 in known' "$T/ordered" >"$T/each"
sort "$T/indexes" | comm -23 - "$T/a" >"$T/b"
while read -r i; do bad "ENTRY_PARSE entry $i"; blame "data/custody/entry-$i.json"; done <"$T/b"

signatures() {   # index: DSSE; -> $roots, $people
  known='' roots=0 people=0
  pad=${payload##*[!=]}
  { printf 'DSSEv1 28 application/vnd.in-toto+json %d ' $((${#payload} * 3 / 4 - ${#pad})); cat "$P"; } >"$T/pae"
  for signature in $sigs; do
    keyid=${signature%%:*}
    is_hex "$keyid" && [ -f "$T/keys/$keyid.pem" ] || continue
    printf '%s' "${signature#*:}" | base64 -d >"$T/sig" 2>/dev/null && signed_by "$T/keys/$keyid.pem" "$T/pae" "$T/sig" ||
      { bad "EVENT_SIG entry $1 is not what key $keyid signed"; return 1; }
    case $known in *"$keyid"*) continue ;; esac   # who signs twice is still one
    known="$known $keyid"
    if [ -f "$T/revoked/$keyid" ]; then bad "EVENT_KEY_REVOKED entry $1 is signed by key $keyid, revoked before it"; return 1; fi
    if [ -f "$T/roots/$keyid" ]; then roots=$((roots + 1)) people=$((people + 1))
    elif [ -f "$T/people/$keyid" ]; then people=$((people + 1)); fi
  done
  [ -n "$known" ] || { bad "EVENT_KEY_UNKNOWN entry $1 is signed by no key that was introduced before it"; return 1; }
}

authority_of() {   # index: enough of those signed whose word the type asks for
  needed=0 got=0
  case $type in
    log.opened/v1 | key.introduced/v1 | key.revoked/v1 | trust.changed/v1) needed=$THRESHOLD got=$roots ;;
    evidence.released/v1 | evidence.disposed/v1) needed=$PEOPLE got=$people ;;
    evidence.held/v1 | record.corrected/v1 | evidence.allowed/v1 | evidence.received/v1) needed=1 got=$people ;;
    capture.witnessed/v1) if [ "$keys" != - ]; then needed=1; is_by_witness && got=1 || got=0; fi ;;
  esac
  [ "$got" -ge "$needed" ] || { bad "AUTHORITY_MISSING entry $1, $type, needs $needed signatures and has $got"; return 1; }
}

is_by_witness() {   # the key that is named is among those that signed, and is a person's
  case $known in *"$keys"*) [ -f "$T/people/$keys" ] || [ -f "$T/roots/$keys" ] ;; *) return 1 ;; esac
}

learn() {   # index
  case $type in
    key.introduced/v1)
      mark=''
      case $role in person) mark=people ;; worker | log) ;; *) return 0 ;; esac
      is_hex "$keys" && [ "$(printf '%s' "$key" | base64 -d 2>/dev/null | sha256sum | cut -c1-64)" = "$keys" ] ||
        { bad "ENTRY_SCHEMA entry $1: it is not the id of the key beside it"; return 0; }
      [ -f "$T/keys/$keys.pem" ] || know "$key" "$mark" || bad "ENTRY_SCHEMA entry $1: the key cannot be read" ;;
    key.revoked/v1) if is_hex "$keys"; then : >"$T/revoked/$keys"; fi ;;
    log.opened/v1) [ "$opened" = "$LOG $VKEY" ] || bad "TRUST_LOG entry $1 opens the log with another key" ;;
  esac
}

entry() {   # index; the fields of its line are set
  P=$T/payload/$1
  [ "$says" = "$1" ] || { bad "ENTRY_INDEX entry $1 says it is $says"; return 1; }
  [ "$log" = "$LOG" ] || { bad "ENTRY_LOG entry $1 is of another log"; return 1; }
  is_number "$seq" || { bad "ENTRY_SCHEMA entry $1"; return 1; }
  case $prev in -) ;; *) is_hex "$prev" || { bad "ENTRY_SCHEMA entry $1"; return 1; } ;; esac
  case $scope in *[!a-z0-9._:-]*) bad "ENTRY_SCHEMA entry $1"; return 1 ;; esac
  printf '%s' "$payload" | base64 -d >"$P" 2>/dev/null || { bad "ENTRY_PARSE entry $1"; return 1; }
  printf '%s %s %s %s\n' "$1" "$scope" "$seq" "$prev" >>"$T/places"
  signatures "$1" || return 1
  is_hex "$digest" && is_number "$bytes" || { bad "ENTRY_SCHEMA entry $1"; return 1; }
  authority_of "$1" || return 1
  [ "$chain" = "$scope" ] || { bad "CHAIN_SCOPE entry $1 stands in $scope, and was signed for another chain"; return 1; }
  case $scope in log:*) [ "$scope" = "log:$SLUG" ] || { bad "CHAIN_SCOPE entry $1"; return 1; } ;; esac
  learn "$1"
  printf '%s %s\n' "$id" "$1" >>"$T/ids"
  case $chain in log:* | run:* | scope:*) printf '%s %s %s %s\n' "$1" "$type" "$chain" "$seq" >>"$T/openings" ;; esac
  about=$item; case $chain in item:*) about=${chain#item:} ;; esac
  printf '%s %s %s %s %s\n' "$digest" "$bytes" "$1" "$name" "$about" >>"$T/wanted"
  case $chain in work:*) ;; *) printf '%s\n' "$chain" >>"$T/needed" ;; esac
  case $chain in item:*) [ "$run" = - ] || printf 'run:%s\n' "$run" >>"$T/needed" ;; esac
  case $type in
    item.assigned/v1) printf 'item:%s\n' "$item" >>"$T/needed" ;;
    capture.started/v1) printf '%s %s %s\n' "$1" "$chain" "$capture" >>"$T/begun" ;;
    capture.completed/v1 | capture.failed/v1) printf '%s %s %s %s\n' "$ref" "$chain" "$capture" "$1" >>"$T/ends"
      printf '%s %s\n' "$1" "$chain" >>"$T/recorded"; record "$1" ;;
    capture.abandoned/v1 | look.unchanged/v1) printf '%s %s %s %s\n' "$ref" "$chain" "$capture" "$1" >>"$T/ends" ;;
    package.made/v1 | artifact.derived/v1) printf '%s %s %s %s\n' "$1" "$chain" "$ref" "$type" >>"$T/packages" ;;
    evidence.held/v1 | evidence.released/v1 | disposal.completed/v1) printf '%s %s %s %s\n' "$1" "$type" "$item" "$ref" >>"$T/acts" ;;
    evidence.received/v1) [ "$seq" = 0 ] || printf 'STATE_ORDER entry %s does not begin its item\n' "$1" >>"$T/displaced"
      receipt "$1" ;;
    record.corrected/v1 | evidence.allowed/v1 | capture.witnessed/v1 | change.observed/v1 | looks.compared/v1)
      printf '%s %s %s %s\n' "$1" "$type" "$capture" "$ref" >>"$T/acts" ;;
    evidence.disposed/v1) printf '%s %s %s %s\n' "$1" "$type" "$item" "$ref" >>"$T/acts"; disposal "$1" ;;
    evidence.exported/v1) printf '%s %s\n' "$1" "$digest" >>"$T/exports" ;;
  esac
  case $type in
    look.unchanged/v1 | change.observed/v1 | looks.compared/v1 | capture.witnessed/v1 | record.corrected/v1 | evidence.allowed/v1 | \
      evidence.held/v1 | evidence.released/v1 | evidence.disposed/v1) said "$1" ;;
  esac
}

# 11 records: what the event says, and what it names
SAME='.[0].predicate as $p | .[1] | (.capture_id == $p.body.capture and ("item:" + .unit) == $p.chain and .run == $p.run and
  .status == $p.body.status and .outcome == $p.body.outcome and .http_status == $p.body.http_status and
  .started_sha256 == $p.refs[0].payload_sha256), (.artifacts[] | "\(.sha256) \(.bytes)")'
record() {   # index
  place "$digest" || return 0   # 10 names it
  jq -r -s "$SAME" "$P" "$where" >"$T/kept" 2>/dev/null || { bad "RECORD_FORMAT entry $1"; return 0; }
  first=1
  while read -r sum size; do
    if [ $first = 1 ]; then
      first=0
      [ "$sum" = true ] || { bad "RECORD_MISMATCH the record of entry $1 says another thing than its event"; return 0; }
    elif is_hex "$sum" && is_number "$size"; then printf '%s %s %s artifact %s\n' "$sum" "$size" "$1" "$about" >>"$T/wanted"
    else bad "RECORD_FORMAT entry $1"; return 0; fi
  done <"$T/kept"
}
# What a detail says is what its event says: a statement, a change, a hold ...
SAID='.[0].predicate as $p | $p.body as $b | ($p.chain | split(":")[1]) as $name | .[1] as $said | $said |
  if (type != "object") or (.schema != 1) then error("no detail") else . end |
  if $type == "capture.witnessed/v1" then [.capture, .statement, .keyid] == [$b.capture, $b.statement, $b.keyid]
  elif $type == "change.observed/v1" then
    [.scope, .before.capture, .after.capture, (.changes | map(.kind) | length)] == [$name, $b.before, $b.capture, $b.changes] and
    ([.changes[].kind] | unique) == ($b.kinds | sort)
  elif $type == "looks.compared/v1" then
    [.scope, .first.capture, .second.capture, .second.record_sha256, .operator, (.differences | map(.kind) | length), .apart_s] ==
    [$name, $b.capture, $b.other, $b.other_sha256, $b.operator, $b.differences, $b.apart_s]
  elif $type == "look.unchanged/v1" then
    [.unit, .run, .capture, .compared_with.capture, .outcome, .http_status] ==
    [$name, $p.run, $b.capture, $b.compared_with, $b.outcome, $b.http_status]
  elif $type == "evidence.disposed/v1" then
    [.item, (.blobs | length), ([.blobs[].bytes] | add // 0)] == [$b.item, $b.blobs, $b.bytes]
  elif $b.item then .item == $b.item
  else .capture == $b.capture end'
said() {   # index
  place "$digest" || return 0
  same=$(jq -r -s --arg type "$type" "$SAID" "$P" "$where" 2>/dev/null) || same=''
  case $same in
    true) ;;
    false) bad "RECORD_MISMATCH $name of entry $1 says another thing than its event" ;;
    *) bad "RECORD_FORMAT entry $1" ;;
  esac
}
RECEIPT='.[0].predicate as $p | .[1] | (("item:" + .item) == $p.chain and (.files | length) == $p.body.files and
  ([.files[].bytes] | add) == $p.body.bytes), (.files[] | "\(.sha256) \(.bytes)")'
receipt() {   # index: what others handed over
  place "$digest" || return 0
  jq -r -s "$RECEIPT" "$P" "$where" >"$T/kept" 2>/dev/null || { bad "RECORD_FORMAT entry $1"; return 0; }
  first=1
  while read -r sum size; do
    if [ $first = 1 ]; then
      first=0
      [ "$sum" = true ] || { bad "RECORD_MISMATCH the receipt of entry $1 says another thing than its event"; return 0; }
    elif is_hex "$sum" && is_number "$size"; then printf '%s %s %s artifact %s\n' "$sum" "$size" "$1" "$about" >>"$T/wanted"
    else bad "RECORD_FORMAT entry $1"; return 0; fi
  done <"$T/kept"
  note "RECEIVED: the $(($(wc -l <"$T/kept") - 1)) files of entry $1 came from others; custody of them begins at receipt"
}
disposal() {   # index
  if ! place "$digest"; then
    is_here "$digest" || printf '%s * %s\n' "$item" "$1" >>"$T/disposed"
    return 0
  fi
  jq -r --arg item "$item" --arg at "$1" '.blobs[] | "\($item) \(.sha256) \($at)"' "$where" >>"$T/disposed" 2>/dev/null || :
}

TAB=$(printf '\t')
while IFS=$TAB read -r i says log scope seq prev payload sigs type id chain run name digest bytes capture item ref keys role key opened; do
  entry "$i" || blame "data/custody/entry-$i.json"
done <"$T/each"
sort "$T/ids" | awk '$1 == last { print "EVENT_DUPLICATE entries", at, "and", $2 } { last = $1; at = $2 }' >"$T/twice"
while read -r line; do bad "$line"; done <"$T/twice"
[ "$(faults)" -ne "$entries_before" ] || ok "$(wc -l <"$T/indexes") entries are signed and in the log"
sort -k1,1 "$T/places" >"$T/a"; sort -k1,1 "$T/leaves" >"$T/b"
join "$T/a" "$T/b" | while read -r i scope seq prev h; do   # scope, seq, index, prev, hash; of what is not proved nothing is known
  [ ! -f "$T/unproved/$i" ] || h='?'
  printf '%s %s %s %s %s\n' "$scope" "$seq" "$i" "$prev" "$h"
done >"$T/chain"
sums "$T/payload" | sort -k1,1 >"$T/a"; sort -k1,1 "$T/begun" >"$T/b"
join "$T/b" "$T/a" | awk '{ print $4, $2, $3 }' >"$T/starts"

# 7 chains: whole as far as scopes.json says; 14 export: scopes.json and contents.txt are what the log was told

before=$(faults) S=data/custody/scopes.json
if jq -e '.v > 2' "$S" >/dev/null 2>&1; then cannot "this export is of a later version than this script knows"; fi
if jq -e '.v == 1 or .v == 2' "$S" >/dev/null 2>&1 && jq -r '.chains[] | "\(.scope) \(.through)"' "$S" >"$T/scopes" 2>/dev/null &&
   ! grep -Evxq "[a-z]+:[a-z0-9._-]+ $N" "$T/scopes"; then :; else bad "EXPORT_MISMATCH $S cannot be read"; blame "$S"; : >"$T/scopes"; fi
told=''
while read -r i digest; do
  if ! place "$digest"; then
    is_here "$digest" || continue
    told=$i exported=$(sed -n "s|^$digest  ||p" "$T/claims" | head -n 1)
    break
  fi
  E=$where
  told=$i exported=$E
  for pair in scopes_sha256:$S contents_sha256:data/custody/contents.txt; do
    path=${pair#*:}
    [ -f "$path" ] || { bad "EXPORT_MISMATCH $path is not here"; continue; }
    [ "$(jq -r ".${pair%%:*}" "$E")" = "$(sha "$path")" ] || { bad "EXPORT_MISMATCH $path is not what entry $i tells of"; blame "$path"; }
  done
  [ "$(jq -r '"\(.entries) \(.blobs) \(.bytes)"' "$E")" = "$(jq -r '.predicate.body | "\(.entries) \(.blobs) \(.bytes)"' "$T/payload/$i")" ] ||
    bad "EXPORT_MISMATCH $E"
  break
done <"$T/exports"
[ -n "$told" ] || [ "$before" -ne 0 ] || bad "EXPORT_MISMATCH $S: no entry tells that this export was made"
lowered=0; ! grep -qx "$S" "$T/blamed" || lowered=1

if [ -s "$T/scopes" ]; then
  sort -u "$T/needed" >"$T/needed.sorted"; cut -d' ' -f1 "$T/scopes" | sort >"$T/have"
  printf 'log:%s\n' "$SLUG" | sort -u - "$T/needed.sorted" | comm -23 - "$T/have" >"$T/lacking"
  [ "$lowered" = 1 ] || while read -r chain; do bad "CHAIN_SHORT $chain is needed and not whole"; done <"$T/lacking"
fi
unread=$(grep -c '^data/custody/entry-' "$T/blamed" || :)
sort -k1,1 -k2,2n "$T/chain" | awk -v scopes="$T/scopes" -v unread="$unread" '
  BEGIN { while ((getline line < scopes) > 0) { split(line, part, " "); through[part[1]] = part[2] + 0; due[part[1]] = 0 } }
  function lack(code, scope, from, until) {
    if (unread >= until - from + 1) { unread -= until - from + 1; return }
    print code, scope, "number", from (until > from ? " to " until : "") }
  !($1 in through) || $2 + 0 > through[$1] { next }
  { seq = $2 + 0
    if (seq < due[$1]) { print "CHAIN_ORDER", $1, "number", seq, "is there twice"; next }
    if (seq > due[$1]) lack("CHAIN_GAP", $1, due[$1], seq - 1)
    else if (seq == 0 ? $4 != "-" : (hash[$1] != "?" && $5 != "?" && $4 != hash[$1])) print "CHAIN_LINK", $1, "number", seq
    if (seq == due[$1] && seq > 0 && $3 + 0 < at[$1]) print "CHAIN_ORDER", $1, "number", seq
    due[$1] = seq + 1; hash[$1] = $5; at[$1] = $3 + 0 }
  END { for (scope in through) if (due[scope] <= through[scope]) lack("CHAIN_SHORT", scope, due[scope], through[scope]) }' >"$T/breaks"
while read -r line; do bad "$line"; done <"$T/breaks"

# 8 states: every end has its start, a start one end; what opens a chain stands first; each act is about what it says
awk 'NR == FNR { start[$1] = $2 " " $3; next }
     start[$1] != $2 " " $3 { print "STATE_ORDER entry", $4, "ends a capture that was never started"; next }
     ended[$1]++ { print "STATE_ORDER entry", $4, "ends a capture a second time" }' "$T/starts" "$T/ends" >"$T/states"
awk 'BEGIN { opens["log"] = "log.opened/v1"; opens["run"] = "run.opened/v1"; opens["scope"] = "case.opened/v1" }
     { kind = $3; sub(/:.*/, "", kind) }
     ($2 == opens[kind]) != ($4 == 0) || ($2 == "run.closed/v1" && closed[$3]++) { print "STATE_ORDER entry", $1 ",", $2, "is out of its place in", $3 }' \
  "$T/openings" >>"$T/states"
cat "$T/displaced" >>"$T/states"
awk '{ print $4, "capture", $3 }' "$T/ends" | sort -k1,1 >"$T/a"
sums "$T/payload" >"$T/b"
awk -v payloads="$T/b" -v recorded="$T/recorded" '
  BEGIN { while ((getline line < payloads) > 0) { split(line, part, " "); payload[part[1]] = part[2] }
          while ((getline line < recorded) > 0) { split(line, part, " "); end[part[2], payload[part[1]]] = part[1] + 1 } }
  !end[$2, $3] || end[$2, $3] > $1 { print "STATE_ORDER entry", $1 ",", $4 ", rests on no capture of its item" }' \
  "$T/packages" >>"$T/states"
awk -v unheld="$T/under.hold" -v payloads="$T/b" -v ends="$T/a" '
  BEGIN { while ((getline line < payloads) > 0) { split(line, part, " "); payload[part[1]] = part[2] }
          while ((getline line < ends) > 0) { split(line, part, " "); is["record.corrected/v1", payload[part[1]]] = is["evidence.allowed/v1", payload[part[1]]] = is["capture.witnessed/v1", payload[part[1]]] = is["change.observed/v1", payload[part[1]]] = is["looks.compared/v1", payload[part[1]]] = part[3] }
          printf "" > unheld }
  { at[++count] = $1; type[count] = $2; about[count] = $3; ref[count] = $4
    if ($2 == "evidence.held/v1") is["evidence.released/v1", payload[$1]] = $3
    if ($2 == "evidence.disposed/v1") is["disposal.completed/v1", payload[$1]] = $3 }
  END {
    for (i = 1; i <= count; i++) {
      if (type[i] ~ /^(evidence.released|disposal.completed|record.corrected|evidence.allowed|capture.witnessed|change.observed|looks.compared)/ && is[type[i], ref[i]] != about[i])
        print "STATE_ORDER entry", at[i] ",", type[i], "refers to nothing that it can be about"
      if (type[i] == "evidence.released/v1") released[ref[i]] = 1
      if (type[i] == "evidence.disposed/v1") for (k = 1; k < i; k++)
        if (type[k] == "evidence.held/v1" && about[k] == about[i] && !(payload[at[k]] in released)) print at[i] > unheld } }' \
  "$T/acts" >>"$T/states"
[ -s "$T/breaks" ] || [ "$unread" -gt 0 ] || while read -r line; do bad "$line"; done <"$T/states"
[ "$(faults)" -ne "$before" ] || ok "$(wc -l <"$T/scopes") chains are whole, as entry ${told:-?} told when the export was made"

# 10 blobs, second half: all that is named is here, and as long as it is said to be

before=$(faults)
jq -r '.blobs[] | select(.reason == "withheld") | "\(.sha256) \(.index) \(.name)"' data/custody/missing.json >"$T/withheld" 2>/dev/null ||
  { bad "EXPORT_MISMATCH data/custody/missing.json cannot be read"; : >"$T/withheld"; }
sort -u "$T/wanted" | awk -v sizes="$T/sizes" -v actual="$T/actual" -v claims="$T/claims" -v withheld="$T/withheld" -v disposed="$T/disposed" -v unheld="$T/under.hold" '
  BEGIN { while ((getline line < sizes) > 0) { split(line, part, " "); size[part[1]] = part[2] + 0 }
          while ((getline line < actual) > 0) { split(line, part, " "); if (!(part[1] in good)) good[part[1]] = part[2] }
          while ((getline line < claims) > 0) { split(line, part, " ")
            if (!(part[1] in said) || (!(said[part[1]] in size) && part[2] in size)) said[part[1]] = part[2] }
          while ((getline line < withheld) > 0) kept[line] = 1
          while ((getline line < unheld) > 0) under[line] = 1
          while ((getline line < disposed) > 0) {   # one under a hold explains what is gone only where no other does
            split(line, part, " "); line = part[1] " " part[2]
            if (!(line in gone) || gone[line] in under) gone[line] = part[3] } }
  function told(line) { if (gone[line] in under && !named[gone[line]]++) print "HOLD_VIOLATION", "entry", gone[line], "disposes of what was on hold" }
  { path = $1 in good ? good[$1] : $1 in said ? said[$1] : "data/artifacts/" $1 }
  path in size { if (size[path] != $2 + 0) print "BLOB_SIZE", path
    if (!($1 in good) && !spoilt[path]++) print "BLOB_DIGEST", path, "is not what was recorded"
    next }
  $4 ~ /^(correction|decision|disposal-report|disposal|hold|rejected|release|replica|run-closed|run|statement)\.json$/ && ($1 " " $3 " " $4) in kept { print "NOTE", $4, "of entry", $3, "was kept back"; next }
  ($5 " " $1) in gone || ($5 " *") in gone { told(($5 " " $1) in gone ? $5 " " $1 : $5 " *"); print "NOTE", $4, "of entry", $3, "was disposed of"; next }
  { print "BLOB_MISSING", path, "(" $4 " of entry " $3 ")" }' >"$T/lack"
while read -r code path rest; do
  case $code in
    NOTE) note "$path $rest" ;;
    *) bad "$code $path $rest"; blame "$path" ;;
  esac
done <"$T/lack"
[ "$(faults)" -ne "$before" ] || ok "$(wc -l <"$T/actual") files are what the entries and records name"

# What the lists say that no check above has named; entries that a chain lacks have been

before=$(faults)
if [ -s "$T/told" ] && ! grep -qx data/custody/contents.txt "$T/blamed"; then
  { sort -u "$T/told"; printf '%s\n' data/custody/contents.txt "$C" "data/custody/entry-${told:-x}.json" "${exported:-x}"; } | sort -u >"$T/may"
  grep '^data/' "$T/files" | comm -23 - "$T/may" |
    grep -Ev "^data/custody/(entry-$N\\.tlog-proof|consistency-$N\\.txt|checkpoint-$N|checkpoint(-$N)?\\.$A\\.ts[qr])\$" >"$T/new" || :
  [ -z "$told" ] || each_failed PKG_EXTRA <"$T/new"
fi
# A list that is not what it was condemns no file: it has been named itself.
! grep -qx manifest-sha256.txt "$T/differ.tags" || : >"$T/differ.payload"
! grep -qx data/custody/contents.txt "$T/blamed" || : >"$T/differ.contents"
cat "$T/differ.payload" "$T/differ.tags" "$T/differ.contents" | sort -u | while read -r path; do
  if grep -qxF "$path" "$T/blamed"; then continue; fi
  case $path in data/custody/entry-*)
    number=${path##*/entry-}; number=${number%%.*}
    if grep -qxF "data/custody/entry-$number.json" "$T/blamed"; then continue; fi
    if [ ! -f "data/custody/entry-$number.json" ] && { [ -s "$T/breaks" ] || [ "$lowered" = 1 ]; }; then continue; fi ;;
  esac
  bad "PKG_MEMBER $path is not what the lists say"
done
[ "$(faults)" -ne "$before" ] || ok "$(wc -l <"$T/files") files, no more and no fewer than the lists name"

# The verdict

need=$(jq -r .time.quorum "$TRUST")
is_number "$need" || need=1
sort -u "$T/stamped" | sort -k1,1 -k2,2n | awk '{ top[$1] = $2 } END { for (a in top) print top[a] }' | sort -rn >"$T/reach"
covered=$(sed -n "${need}p" "$T/reach"); covered=${covered:-0}
late=$(awk -v covered="$covered" '$4 + 0 >= covered + 0' "$T/ends" | wc -l)
if [ "$covered" -eq 0 ] || [ "$late" -gt 0 ]; then note "NO TRUSTED TIME for $late of $(wc -l <"$T/ends") captures"; fi
apart=$(find data/artifacts -type f -exec grep -lF '"origin":"not_public"' {} + 2>/dev/null | wc -l)
[ "$apart" -eq 0 ] || note "NOT PUBLIC: $apart records had something of the operator's own between them and the site"
if [ -s "$T/bad" ]; then say "does not hold"; exit 1; fi
if [ -z "$DIGEST" ]; then
  note "no trust file was given; the one in the export has the digest $own"
  say "self-consistent only"; exit 3
fi
say "holds"
