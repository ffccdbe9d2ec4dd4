#!/bin/sh
# Makes the secrets of the profiles `proxy`, `alerting` and `dashboards` in deploy/secrets:
#   grafana_password   of the account `admin`
#   tls.crt, tls.key   a certificate for NAME [default: localhost], signed by itself: replace it
#   slack_url, smtp_password   empty: fill in what you use
# What is there already is kept.
#
#   sh deploy/secrets.sh [NAME]
set -eu
umask 077
name=${1:-localhost}
directory=$(dirname "$0")/secrets
mkdir -p "$directory"
cd "$directory"
[ -s grafana_password ] || openssl rand -hex 24 > grafana_password
[ -s tls.key ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
  -keyout tls.key -out tls.crt -days 365 -subj "/CN=$name" -addext "subjectAltName=DNS:$name" \
  2> openssl.log || { cat openssl.log >&2; exit 1; }
rm -f openssl.log
for file in slack_url smtp_password; do
  [ -e "$file" ] || : > "$file"
done
# Containers read them as other users; the directory keeps the accounts of this machine out.
chmod 644 grafana_password tls.key tls.crt slack_url smtp_password
echo "secrets are in $(pwd)"
