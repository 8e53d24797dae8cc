# One image for every role: the command says which (`playhead api`, `playhead consumers`, …).
FROM node:20.20-bookworm-slim AS build
WORKDIR /playhead
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run build && npm prune --omit=dev

FROM node:20.20-bookworm-slim
WORKDIR /playhead
ENV NODE_ENV=production PLAYHEAD_DATA=/data UV_THREADPOOL_SIZE=16 NODE_OPTIONS=--max-semi-space-size=64
COPY --from=build /playhead/package.json ./
COPY --from=build /playhead/node_modules ./node_modules
COPY --from=build /playhead/dist ./dist
COPY --from=build /playhead/schemas ./schemas
RUN install -d -o node -g node /data /keys && ln -s /playhead/dist/cli/main.js /usr/local/bin/playhead && chmod +x dist/cli/main.js
USER node
VOLUME ["/data", "/keys"]
ENTRYPOINT ["node", "/playhead/dist/cli/main.js"]
CMD ["up"]
