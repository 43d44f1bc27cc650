import JSON
import PMAPI
import PMModel
import PMRoutingSupport
import PMSystem
import PMTestSupport
import Testing

@testable import JSONRPC
@testable import PMRouting

/// Services and their commands.
@Suite struct `A registry` {
    private let reactor = TestLoop.reactor

    @Test @PMActor func `knows one incarnation of a unit, the last`() throws {
        let rig = RouterRig(reactor)
        let (_, first) = try rig.service("web", commands: ["a"])
        let (_, second) = try rig.service("web", commands: ["b"])
        #expect(rig.registry.service("web")?.session === second && rig.registry.all.count == 1)
        #expect(rig.registry.service("web")?.has("b") == true && rig.registry.service("web")?.has("a") == false)
        guard case .service(let old) = first.origin, case .service(let new) = second.origin else { return }
        #expect(rig.registry.remove(old) == nil)
        // Late metadata of an earlier incarnation is dropped.
        try rig.registry.publish(ServiceMetadata(name: "web", commands: []), of: old)
        #expect(rig.registry.service("web")?.has("b") == true)
        #expect(rig.registry.remove(new)?.session === second && rig.registry.all.isEmpty)
        #expect(rig.registry.pick("web") == nil && rig.registry.instances(of: "web").isEmpty)
    }

    @Test @PMActor func `prefers instances that have said what they offer, and knows all of a unit`() throws {
        let rig = RouterRig(reactor)
        _ = try rig.service("web", commands: ["get"])
        let late = try rig.router.open(MemoryLink(), .service(.init(unit: "web#2", number: 9)))
        rig.registry.add(.init(unit: "web#2", number: 9), late)
        for _ in 1...4 { #expect(rig.registry.pick("web")?.id.unit == "web") }
        #expect(rig.registry.instances(of: "web").map(\.id.unit) == ["web", "web#2"])
        #expect(rig.registry.all.map(\.id.unit) == ["web", "web#2"])
        guard let first = rig.registry.service("web") else { return }
        #expect(!rig.registry.mayMove(first, Self.method("get")))
    }

    private static func method(_ name: StaticString) -> RPCMethod {
        RPCMethod(
            raw: UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount), hasEscapes: false)
    }

    @Test @PMActor func `lets idempotent commands of several instances be called again, and no others`() throws {
        let rig = RouterRig(reactor)
        let (_, alone) = try rig.service("one", commands: ["get"], idempotent: true)
        _ = try rig.service("web", commands: ["get"], idempotent: true)
        _ = try rig.service("web#2", commands: ["get"], idempotent: true)
        let (web, one) = (try #require(rig.registry.service("web")), try #require(rig.registry.service("one")))
        #expect(one.session === alone)
        #expect(rig.registry.mayMove(web, Self.method("get")) && !rig.registry.mayMove(web, Self.method("set")))
        #expect(!rig.registry.mayMove(one, Self.method("get")))
        rig.end(try #require(rig.registry.service("web#2")).session)
        #expect(!rig.registry.mayMove(web, Self.method("get")))
    }

    @Test @PMActor func `keeps a megabyte of text of a service, 64 MB in memory of all, and the last that fitted`()
        throws
    {
        let rig = RouterRig(reactor)
        _ = try rig.service("svc", commands: ["small"])
        let id = try #require(rig.registry.service("svc")).id
        let large = ServiceMetadata(
            name: "svc", commands: [CommandMetadata(name: String(repeating: "x", count: 1 << 20), config: [:])])
        let error = #expect(throws: APIError.self) { try rig.registry.publish(large, of: id) }
        #expect(error?.statusCode == 413 && rig.registry.service("svc")?.has("small") == true)
        let many = ServiceMetadata(
            name: "svc", commands: (0..<20_000).map { CommandMetadata(name: "c\($0)", config: ["": ["inject": []]]) })
        var (count, isFull) = (0, false)
        while !isFull && count < 64 {
            count += 1
            _ = try rig.service("s\(count)")
            let id = try #require(rig.registry.service("s\(count)")).id
            do throws(APIError) { try rig.registry.publish(many, of: id) } catch { isFull = true }
        }
        #expect(isFull && count > 2)
        // One that ends makes room.
        rig.end(try #require(rig.registry.service("s1")).session)
        let last = try #require(rig.registry.service("s\(count)")).id
        try rig.registry.publish(many, of: last)
    }
}
