import Testing

@testable import PMDocker

@Suite struct ContainerOrderTests {
    private func name(_ unit: String, _ owner: String = "jsonrpc+unix:///run/pm.sock") -> String {
        ContainerOrder(name: unit, owner: owner, node: "", stopSignal: 15, killAfter: .zero).containerName
    }

    @Test(arguments: ["web", "web#2", "a/b/c", "@scope/web", ".hidden", "-x", "Größe 7", "日本", "a_b.c", "a:b\"c\\"])
    func `every unit has a container name that engines take`(unit: String) {
        let name = name(unit)
        let letters = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
        #expect(name.first.map { letters.contains($0) } == true)
        #expect(name.allSatisfy { letters.union("_.-").contains($0) }, "\(name)")
    }

    @Test func `a container's name tells which unit it is`() {
        #expect(name("web").hasPrefix("pm-web-"))
        #expect(name("web#2").hasPrefix("pm-web-2-"))
    }

    @Test func `one unit of one daemon has one name, everything else another`() {
        #expect(name("web#2") == name("web#2"))
        // The same in every build: a container outlives the driver that named it.
        #expect(name("web", "o") == "pm-web-d318b5a8f443ac9a")
        let names = [
            name("web#2"), name("web-2"), name("web/2"), name("web 2"), name("web#2", "jsonrpc+unix:///run/other.sock"),
            name("web#2", ""),
        ]
        #expect(Set(names).count == names.count)
    }
}
