import JSON
import PMModel
import Testing

@testable import PMMigration

@Suite struct ComposeTests {
    private func migration(_ text: String, _ environment: [String: String] = [:]) throws -> Migration {
        var context = MigrationContext.test("/srv/app/.env")
        context.environment = environment
        context.dotenv = ["TAG": "1.2", "EMPTY": ""]
        return try ComposeFile(bytes: Array(text.utf8)).migration(context)
    }

    private static let shop =
        """
        name: shop
        services:
          web:
            image: "registry/web:${TAG}"
            command: node server.js --port 3000
            environment:
              - NODE_ENV=production
              - FROM_SHELL
              - PRICE=5$$
            env_file: [./web.env, {path: none.env, required: false}]
            ports: ["8080:3000", "127.0.0.1:81:81/udp", {target: 90, published: 9090}]
            volumes: ["./data:/data:ro", "db:/var/lib/db", /srv/x:/x]
            depends_on:
              db: {condition: service_healthy, restart: true}
            restart: unless-stopped
            stop_grace_period: 1m30s
            stop_signal: SIGINT
            deploy: {replicas: 2, resources: {limits: {cpus: "0.5", memory: 256M}}}
            ulimits: {nofile: {soft: 1000, hard: 2000}}
            cap_drop: [ALL]
            networks: [front]
            container_name: x
            healthcheck: {test: [CMD, curl, "http://localhost:3000/health"]}
          db: {image: postgres, restart: "on-failure:3"}
          built: {build: ., profiles: [dev]}
        volumes: {db: {}}
        networks: {front: {}}
        """

    @Test func `a service becomes a container of Docker`() throws {
        let migration = try migration(Self.shop, ["FROM_SHELL": "yes"])
        let web = migration.service("web")
        #expect(web.definition.runtime == .docker && web.definition.path == "./web.docker.json")
        #expect(
            web.container.map(JSONValue.object) == [
                "image": "registry/web:1.2", "command": ["node", "server.js", "--port", "3000"],
                "ports": ["0.0.0.0:8080:3000", "127.0.0.1:81:81/udp", "0.0.0.0:9090:90"],
                "volumes": ["./data:/data:ro", "shop_db:/var/lib/db", "/srv/x:/x"],
                "hostConfig": ["CapDrop": ["ALL"]],
            ])
        #expect(web.env == ["NODE_ENV": "production", "FROM_SHELL": "yes", "PRICE": "5$"])
        #expect(web.mapping.envFiles == ["./web.env"])
        #expect(web.mapping.dependencies == [Dependency("db", onStop: .restart)])
        #expect(web.mapping.restart.condition == .always && web.mapping.isAutostart)
        #expect(web.mapping.stop.steps == [StopStep(signal: 2, wait: .seconds(90))])
        #expect(web.mapping.instances == 2 && web.definition.isStateless)
        let limits = web.mapping.limits
        #expect(limits.cpu == 50_000 && limits.memory == 256 << 20 && limits.openFiles == 1000)
        #expect(migration.service("db").mapping.restart.limit == 3)
        #expect(migration.service("built").container?["image"] == "shop-built")
        for field in ["networks", "build", "profiles"] { #expect(migration.answer(field).hasPrefix("!"), "\(field)") }
        #expect(migration.answer("healthcheck").contains("http://localhost:3000/health"))
        #expect(migration.answer("container_name").hasPrefix("-"))
    }

    /// The forms of Compose's interpolation.
    @Test(arguments: [
        ("$TAG", "1.2"), ("${TAG}x", "1.2x"), ("$$TAG", "$TAG"), ("${NONE:-a b}", "a b"), ("${EMPTY:-d}", "d"),
        ("${EMPTY-d}", ""), ("${TAG:+set}", "set"), ("${NONE:+set}", ""), ("${EMPTY+set}", "set"),
        ("${NONE:-${TAG}}", "1.2"), ("${NONE-a}b}", "ab}"), ("$NONE", ""), ("${TAG:?m}", "1.2"), ("x$TAG-y", "x1.2-y"),
    ])
    func `variables are replaced as Compose does`(text: String, value: String) throws {
        let migration = try migration("services: {a: {image: x, working_dir: '/\(text)'}}")
        #expect(migration.service("a").container?["workingDirectory"] == .string("/" + value))
    }

    @Test func `a variable without a value is reported`() throws {
        #expect(try migration("services: {a: {image: '$GHOST'}}").answer("${GHOST}").hasPrefix("!"))
    }

    @Test(arguments: [
        "a: 1", "services: {}", "services: {a: 1}", "services: {a: {image: '${X'}}",
        "services: {a: {image: '${X:?no}'}}",
        "services: {a: {image: '$'}}", "services: {a: {image: '${X*y}'}}",
        "services: {a: {image: x, command: \"a 'b\"}}",
    ])
    func `a wrong file is refused`(text: String) {
        #expect(throws: MigrationError.self) { try migration(text) }
    }
}
