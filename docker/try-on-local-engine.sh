#!/usr/bin/env bash
# Tries compose.yaml on a Docker Engine of its own, where no image can be pulled: on Debian, as root, with Node and npm there.
#
#   docker/try-on-local-engine.sh
#
# The engine comes from Debian's docker.io and runs beside any other. Images of the same names stand in for those of the
# registry: the base is Debian by debootstrap with the same version of Node from npm, Prometheus is Debian's. In Grafana's place
# is a web server which only answers its health check: its files are checked by test/docker. Takes about ten minutes and
# 3 GB, installs Debian packages, and else leaves nothing behind. LOAD_DURATION and the like are as in compose.yaml.
set -euo pipefail
cd "$(dirname "$0")"
[ "$(id -u)" = 0 ] || { echo 'It has to be root, to start an engine.' >&2; exit 2; }

work=$(mktemp -d /tmp/southbridge-engine.XXXXXX)
export DOCKER_HOST="unix://$work/docker.sock" DOCKER_CONFIG="$work/config"
export SOUTHBRIDGE_PORT="${SOUTHBRIDGE_PORT:-18080}" PROMETHEUS_PORT="${PROMETHEUS_PORT:-19090}" GRAFANA_PORT="${GRAFANA_PORT:-13000}"
export LOAD_DURATION="${LOAD_DURATION:-10s}"

step() { printf '\n== %s\n' "$*"; }

# shellcheck disable=SC2317 # called by the trap
clean_up() {
  timeout 60 docker compose --profile load down -v --remove-orphans > /dev/null 2>&1 || true
  if [ -s "$work/pid" ]; then
    local pid
    pid=$(cat "$work/pid")
    kill "$pid" 2> /dev/null || true
    timeout 30 tail --pid="$pid" -f /dev/null || kill -9 "$pid" || true
  fi
  rm -rf "$work"
}
trap clean_up EXIT

step 'Packages'
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends \
  docker.io iptables debootstrap prometheus busybox-static ca-certificates curl > "$work/apt.log" 2>&1 ||
  { tail "$work/apt.log"; exit 2; }
mkdir -p "$DOCKER_CONFIG/cli-plugins"
if ! docker compose version > /dev/null 2>&1; then
  # Debian 12 has only the first docker-compose; that of Debian 13 is one program, taken without its dependencies.
  apt=(-o APT::Sandbox::User=root -o "Dir::Etc::SourceList=$work/trixie.list" -o Dir::Etc::SourceParts=/dev/null -o "Dir::State::Lists=$work/lists")
  mkdir -p "$work/lists/partial"
  # The package host of this machine's own apt sources.
  mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep -m1 debian)
  echo 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] '"$mirror"' trixie main' > "$work/trixie.list"
  apt-get "${apt[@]}" update -qq
  (cd "$work" && apt-get "${apt[@]}" download -qq docker-compose 2> /dev/null && dpkg-deb -x docker-compose_*.deb compose)
  cp "$work/compose/usr/libexec/docker/cli-plugins/docker-compose" "$DOCKER_CONFIG/cli-plugins/"
fi

step 'Engine'
dockerd --host "$DOCKER_HOST" --data-root "$work/data" --exec-root "$work/exec" --pidfile "$work/pid" > "$work/dockerd.log" 2>&1 &
for _ in $(seq 60); do
  docker info > /dev/null 2>&1 && break
  sleep 1
done
docker info --format 'Docker Engine {{.ServerVersion}}, {{.Driver}}, {{.OperatingSystem}}, kernel {{.KernelVersion}}' ||
  { tail "$work/dockerd.log"; exit 2; }
docker compose version

step 'Images that stand in'
base=$(sed -n 's/^ARG NODE_IMAGE=//p' Dockerfile)
version=$(sed 's/^node:\([0-9.]*\)-.*/\1/' <<< "$base")
prometheus=$(sed -n 's/^ *image: \(prom\/.*\)/\1/p' compose.yaml)
grafana=$(sed -n 's/^ *image: \(grafana\/.*\)/\1/p' compose.yaml)
timeout 900 debootstrap --variant=minbase bookworm "$work/root" http://deb.debian.org/debian > "$work/debootstrap.log" 2>&1 ||
  { tail "$work/debootstrap.log"; exit 2; }
rm -rf "$work"/root/var/cache/apt "$work"/root/var/lib/apt/lists
timeout 300 npm install --silent --no-save --prefix "$work/node" "node@$version"
install -D "$work/node/node_modules/node/bin/node" "$work/root/usr/local/bin/node"
mkdir -p "$work/root/usr/local/lib/node_modules"
cp -a "$(npm root -g)/npm" "$work/root/usr/local/lib/node_modules/"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$work/root/usr/local/bin/npm"
ln -s ../lib/node_modules/npm/bin/npx-cli.js "$work/root/usr/local/bin/npx"
# This machine may trust authorities that others do not.
install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$work/root/etc/ssl/certs/ca-certificates.crt"
chroot "$work/root" groupadd --gid 1000 node
chroot "$work/root" useradd --uid 1000 --gid node --create-home node
tar -C "$work/root" -c . | docker import -c 'CMD ["node"]' -c 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
  -c 'ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt' - "$base" > /dev/null
# By the builder that needs no plugin; Compose brings one of its own.
mkdir "$work/prometheus" "$work/grafana"
cp "$(command -v prometheus)" "$(command -v promtool)" "$(command -v busybox)" "$work/prometheus/"
cp "$(command -v busybox)" "$work/grafana/"
DOCKER_BUILDKIT=0 docker build -q -t "$prometheus" -f - "$work/prometheus" 2> "$work/standin.log" > /dev/null << END
FROM $base
COPY prometheus promtool busybox /bin/
RUN ln -s busybox /bin/wget && install -d -o nobody -g nogroup /prometheus
USER nobody
WORKDIR /prometheus
VOLUME /prometheus
ENTRYPOINT ["/bin/prometheus"]
END
DOCKER_BUILDKIT=0 docker build -q -t "$grafana" -f - "$work/grafana" 2> "$work/standin.log" > /dev/null << END
FROM $base
COPY busybox /bin/
RUN ln -s busybox /bin/wget && mkdir -p /srv/api && echo '{}' > /srv/api/health
CMD ["/bin/busybox", "httpd", "-f", "-p", "3000", "-h", "/srv"]
END

step 'docker compose build'
timeout 900 docker compose --profile load build > "$work/build.log" 2>&1 || { tail -n 30 "$work/build.log"; exit 1; }
docker image ls --format '{{.Repository}}:{{.Tag}} {{.Size}}'

failed=0
# Says what was looked at, and whether it is so.
check() {
  local what=$1
  shift
  if "$@"; then echo "ok      $what"; else echo "FAILED  $what"; failed=1; fi
}

step 'docker compose --profile load up --abort-on-container-exit --exit-code-from load'
status=0
timeout 900 docker compose --profile load up --abort-on-container-exit --exit-code-from load > "$work/load.log" 2>&1 || status=$?
sed -n 's/^.*load-1 *| //p' "$work/load.log"
echo "exit status $status"
check 'nothing lost or doubled' [ "$status" = 0 ]
exit_status() { docker inspect --format '{{.State.ExitCode}}' "$(docker compose ps -aq "$1")"; }
check 'the server got SIGTERM, and shut down in order' [ "$(exit_status server)" = 0 ]

step 'docker compose up -d --wait'
timeout 300 docker compose up -d --wait > "$work/up.log" 2>&1 || { tail -n 30 "$work/up.log"; exit 1; }
docker compose ps --format 'table {{.Service}}\t{{.Status}}\t{{.Ports}}'
server="http://127.0.0.1:$SOUTHBRIDGE_PORT"
code() { curl -s -o /dev/null -w '%{http_code}' "$@"; }
check 'without a token nobody gets in' [ "$(code "$server/v1/machines")" = 401 ]
token=$(docker compose exec -T server cat /run/tokens/operator)
check 'with one they do' [ "$(code -H "authorization: Bearer $token" "$server/v1/machines")" = 200 ]
check 'the page is there' [ "$(code "$server/")" = 200 ]
check 'Prometheus cannot read the tokens of others' \
  bash -c '! docker compose exec -T prometheus cat /run/tokens/operator > /dev/null 2>&1'
check 'the server is no root' [ "$(docker compose exec -T server id -u)" = 1000 ]
check 'its root is read-only' bash -c '! docker compose exec -T server touch /app/new 2> /dev/null'
# Machines made over the API outlast the container.
curl -s -o /dev/null -H "authorization: Bearer $token" -H 'content-type: application/json' -d '{"name":"kept"}' "$server/v1/machines"
docker compose up -d --wait --force-recreate server > /dev/null 2>&1
check 'machines outlast the container' \
  [ "$(code -H "authorization: Bearer $token" "$server/v1/machines/kept")" = 200 ]

step 'Every query of the dashboard, asked of the Prometheus in Compose'
[ -f ../dist/test/docker/check-dashboard.js ] || (cd .. && npm ci --silent --no-audit --no-fund && npm run -s build)
check 'every panel has data' node ../dist/test/docker/check-dashboard.js "http://127.0.0.1:$PROMETHEUS_PORT" 30
check 'Prometheus has loaded the alerts' bash -c "curl -s http://127.0.0.1:$PROMETHEUS_PORT/api/v1/rules | grep -q SouthbridgeDeadlock"

exit "$failed"
