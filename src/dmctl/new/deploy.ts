import { environmentPrefix } from '../../dserver/config/environment-layer.ts'
import { type ApplicationShape, programFolder } from './shape.ts'

/** A Dockerfile. What the image is built with is not in it. */
export function containerFile({ name, language }: ApplicationShape): string {
  const folder = programFolder(language)
  const build = language === 'ts' ? 'RUN npm run build && npm prune --omit=dev --ignore-scripts' : undefined
  return `FROM node:24-slim AS build
WORKDIR /app
COPY package*.json ./
RUN npm ci --ignore-scripts${build === undefined ? ' --omit=dev' : ''}
COPY . .
${build === undefined ? '' : `${build}\n`}
FROM node:24-slim
WORKDIR /app
ENV NODE_ENV=production
ENV DMICRO_RUNTIME_DIR=/tmp/${name}
ENV ${environmentPrefix(name)}SANDBOX__SERVICE__LISTEN=tcp://0.0.0.0:9000
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/${folder} ./${folder}
USER node
EXPOSE 9000
HEALTHCHECK CMD ["node", "${folder}/app.js", "ctl", "info"]
CMD ["node", "${folder}/app.js", "start"]
`
}

/** A unit of systemd. Without the native binary a program reports for the server, hence NotifyAccess. */
export function unitFile({ name, language }: ApplicationShape): string {
  const app = `/usr/bin/env node ${programFolder(language)}/app.js`
  return `[Unit]
Description=${name}
After=network-online.target
Wants=network-online.target

[Service]
Type=notify
NotifyAccess=all
DynamicUser=yes
RuntimeDirectory=${name}
RuntimeDirectoryMode=0700
WorkingDirectory=/opt/${name}
Environment=NODE_ENV=production
ExecStart=${app} start
ExecReload=${app} reload
TimeoutStopSec=30
KillMode=mixed
Restart=on-failure
RestartPreventExitStatus=2 78

[Install]
WantedBy=multi-user.target
`
}
