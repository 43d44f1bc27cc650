import PMTestSupport
import JSON
import PMModel
import Testing

@testable import PMConfig

/// Many changes of one text at once: the same text as one after the other makes.
@Suite struct ConfigBatchTests {
    @Test func `random changes make the same text together as one after the other`() throws {
        var random = SplitMix(state: 1109)
        for _ in 0..<2000 {
            let text = try text(&random)
            let changes = (0..<Int.random(in: 1...6, using: &random)).map { _ in change(&random) }
            var each = JSONTextEdit(Array(text.utf8))
            var all = each
            var refusal: String?
            do {
                for change in changes { try each.set(change.keys, to: change.value) }
            } catch {
                refusal = "\(error)"
            }
            do {
                try all.set(all: changes)
                #expect(refusal == nil && all.bytes == each.bytes, "\(text) \(changes)")
            } catch {
                #expect("\(error)" == refusal)
            }
        }
    }

    private func change(_ random: inout SplitMix) -> JSONTextEdit.Change {
        let keys = ["a", "b", "c", "d"]
        let path = (0..<Int.random(in: 1...3, using: &random)).map { _ in keys[Int.random(in: 0..<4, using: &random)] }
        let values: [JSONValue?] = [1, "s", ["k": 1], [:], ["k": ["l": [1, 2]]], nil]
        return (path, values[Int.random(in: 0..<values.count, using: &random)])
    }

    private func text(_ random: inout SplitMix) throws -> String {
        let texts = [
            "{}", "{\"a\":{\"b\":1},\"c\":2}", "{ \"a\": { \"b\": {} }, \"b\": null }",
            "{\n  \"a\": {\n    \"b\": {\"c\": 1},\n    \"c\": [1, 2]\n  },\n  \"b\": {}\n}\n",
            "{\r\n\t\"a\": {\"a\": 1, \"a\": 2},\r\n\t\"b\": {\r\n\t\t\"c\": {}\r\n\t}\r\n}",
            "{\"a\": {" + (0..<20).map { "\"k\($0)\": \($0)" }.joined(separator: ", ") + "}}",
        ]
        return texts[Int.random(in: 0..<texts.count, using: &random)]
    }

    @Test func `1,500 definitions are one piece of work`() throws {
        let folder = try ConfigFolder("{\n  \"containers\": {},\n  \"mapping\": {}\n}\n")
        let edits = (0..<1500).map {
            ConfigEdit.setContainer(
                "service-\($0)", ContainerDefinition(path: "./\($0)/commands.json", isCommandable: true))
        }
        let began = ContinuousClock.now
        let file = try folder.store().edit(edits)
        // One by one they take minutes; a machine that is ten times slower still passes.
        #expect(ContinuousClock.now - began < .seconds(20))
        #expect(file.configuration.containers.map(\.name) == (0..<1500).map { "service-\($0)" })
        #expect(try JSONValue(parsing: Array(folder.text().utf8))["containers"]?.object?.count == 1500)
    }

    @Test func `edits of one name see what the one before has made`() throws {
        let folder = try ConfigFolder("{}")
        let file = try folder.store().edit([
            .setContainer("a", ContainerDefinition(path: "./a")), .setAutostart("a", true), .setInstances("a", 3),
            .setContainer("a", ContainerDefinition(path: "./b")), .setContainer("b", ContainerDefinition(path: "./c")),
        ])
        #expect(file.configuration.container("a")?.path == "./b" && file.configuration.container("b")?.path == "./c")
        #expect(file.configuration.mapping("a")?.isAutostart == true && file.configuration.mapping("a")?.instances == 3)
    }
}
