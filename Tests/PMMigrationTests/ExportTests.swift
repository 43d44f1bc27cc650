import JSON
import PMModel
import Testing

@testable import PMMigration

@Suite struct ExportTests {
    private var web: ExportedService {
        var mapping = Mapping(container: "web")
        mapping.isAutostart = true
        mapping.env = [EnvironmentVariable(name: "GREETING", value: "it's 100% \"x\" $HOME")]
        mapping.restart = RestartPolicy(condition: .always)
        mapping.stop = StopSequence(steps: [StopStep(signal: 2, wait: .seconds(5))])
        mapping.limits.memory = 512 << 20
        mapping.limits.openFiles = 8192
        var web = ExportedService(
            name: "web", command: ["/usr/bin/node", "/srv/app/server.js", "a b", "$x", "50%", "it's"],
            directory: "/srv/app", mapping: mapping)
        web.dependencies = [Dependency("db", onStop: .stop)]
        return web
    }

    private var db: ExportedService {
        ExportedService(name: "db", command: ["/opt/db"], directory: "/srv/app", mapping: Mapping(container: "db"))
    }

    private func text(_ target: ExportTarget, _ name: String) -> [UInt8] {
        let files = target.export([web, db], folder: "/srv/app").files
        return Array((files.first { $0.name == name }?.text ?? "").utf8)
    }

    @Test func `units of systemd read back as they were`() throws {
        let units = try ["web.service", "db.service"].map { try UnitFile(name: $0, bytes: text(.systemd, $0)) }
        let service = try UnitFiles(units).migration(.test()).service("web")
        check(service, isProgram: true)
        #expect(service.mapping.dependencies == web.dependencies)
        #expect(service.mapping.limits == web.mapping.limits)
    }

    @Test func `an ecosystem file reads back as it was`() throws {
        let text = String(decoding: text(.pm2, "ecosystem.config.cjs"), as: UTF8.self)
        let json = text.dropFirst("module.exports = ".count).dropLast(2)
        let service = try EcosystemFile(bytes: Array(json.utf8)).migration(.test()).service("web")
        check(service, isProgram: false)
        #expect(service.mapping.limits.memory == 512 << 20)
    }

    @Test func `a Procfile reads back as it was`() throws {
        let service = try Procfile(bytes: text(.procfile, "Procfile")).migration(.test()).service("web")
        #expect(service.command.dropFirst() == ["./server.js", "a b", "$x", "50%", "it's"])
        #expect(service.env["GREETING"] == web.mapping.env[0].value)
    }

    private func check(_ service: MigratedService, isProgram: Bool) {
        let words = service.command
        #expect(words == (isProgram ? web.command : ["./server.js"] + web.command.dropFirst(2)))
        #expect(service.env["GREETING"] == web.mapping.env[0].value)
        #expect(service.mapping.restart.condition == .always && service.mapping.isAutostart)
        #expect(service.mapping.stop == web.mapping.stop && service.mapping.cwd == nil)
    }

    @Test func `a container of Docker reads back from a Compose file`() throws {
        var service = db
        service.mapping.restart = RestartPolicy(condition: .always)
        service.mapping.isAutostart = true
        service.container = [
            "image": "postgres:16", "command": ["postgres", "-c", "a=$b"], "ports": ["127.0.0.1:5432:5432"],
            "volumes": ["./data:/data:ro", "vol:/v"], "hostConfig": ["CapDrop": ["ALL"]],
        ]
        let file = ExportTarget.compose.export([service], folder: "/srv/app").files[0]
        let read = try ComposeFile(bytes: Array(file.text.utf8)).migration(.test()).service("db")
        #expect(read.container.map(JSONValue.object) == service.container.map(JSONValue.object))
        #expect(read.mapping.restart == service.mapping.restart && read.mapping.stop == service.mapping.stop)
    }

    @Test func `documents of Kubernetes keep the rules of its API`() throws {
        var web = web
        web.name = "@scope/Web_1"
        web.mapping.listen = [ListenPoint(.internet(host: "127.0.0.1", port: 8080))]
        web.mapping.readiness = .http(url: "http://127.0.0.1:8080/health")
        web.mapping.live = LivenessPolicy(check: .tcp(host: "127.0.0.1", port: 8080))
        web.mapping.limits.cpu = 150_000
        web.mapping.user = "1000"
        var job = db
        job.mapping.restart = RestartPolicy(condition: .never)
        let file = ExportTarget.kubernetes.export([web, job], folder: "/srv/app").files[0]
        var kinds: [String] = []
        for text in file.text.split(separator: "---\n") {
            let document = try YAMLNode(bytes: Array(text.utf8)).json
            let kind = document["kind"]?.string ?? ""
            kinds.append(kind)
            #expect(try KubernetesRules.problems(document) == [], "\(text)")
        }
        #expect(kinds == ["Deployment", "Service", "Job"])
        // The rules find what is wrong.
        #expect(try !KubernetesRules.problems(["apiVersion": "apps/v1", "kind": "Deployment"]).isEmpty)
    }

    @Test func `names become labels of RFC 1123`() {
        #expect(KubernetesExport.name("@scope/Web_1") == "scope-web-1" && KubernetesExport.name("é") == "service")
        #expect(KubernetesExport.name(String(repeating: "a", count: 100)).utf8.count == 63)
        #expect(SystemdExport.unit("@scope/web") == "scope-web" && SystemdExport.unit("web", 2) == "web-2")
    }
}
