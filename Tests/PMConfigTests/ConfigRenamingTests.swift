import PMModel
import Testing

@testable import PMConfig

@Suite struct ConfigRenamingTests {
    private func renamed(_ text: String, _ old: String, _ new: String, profile: String? = nil) throws -> String {
        var values = ConfigValues.none
        values.profile = profile
        let store = try ConfigStore(path: "/nowhere/.pm.config.json", values: values)
        let file = try store.applying([.rename(ServiceRename(from: old, to: new))], to: Array(text.utf8))
        return String(decoding: file.document.bytes, as: UTF8.self)
    }

    @Test func `the name changes where it is the service's, and every other byte stays`() throws {
        let before = """
            { "containers": { "@my/web": {"path": "./web.js"},   "user": {"path":"x", "dependencies": ["web", "other"]},
                "other": {"path": "web", "dependencies": [ "@my/web" ]} },
              "mapping": {
                "@my/web": {"container": "@my/web", "env": {"NAME": "@my/web"}}, "second": {"container": "@my/web"},
                "user": {"container": "user", "dependencies": [{"name": "@my/web", "onStop": "stop"}],
                    "on": {"exit": {"call": "@my/web.note"}, "ready": [{"call": "web.note"}, {"call": "other.web"}]}},
                "pm": {"connect": {"jsonrpc+tcp://0.0.0.0:1": {"allow": ["@my/web.*", "@my/web", "@my/webs.*"]}}}
              },
              "profiles": {"prod": {"mapping": {"@my/web": {"cli": ["@my/web"]}}}},
              "web": "@my/web"
            }
            """
        let after = """
            { "containers": { "@my/site": {"path": "./web.js"},   "user": {"path":"x", "dependencies": ["@my/site", "other"]},
                "other": {"path": "web", "dependencies": [ "@my/site" ]} },
              "mapping": {
                "@my/site": {"container": "@my/site", "env": {"NAME": "@my/web"}}, "second": {"container": "@my/site"},
                "user": {"container": "user", "dependencies": [{"name": "@my/site", "onStop": "stop"}],
                    "on": {"exit": {"call": "@my/site.note"}, "ready": [{"call": "@my/site.note"}, {"call": "other.web"}]}},
                "pm": {"connect": {"jsonrpc+tcp://0.0.0.0:1": {"allow": ["@my/site.*", "@my/site", "@my/webs.*"]}}}
              },
              "profiles": {"prod": {"mapping": {"@my/site": {"cli": ["@my/web"]}}}},
              "web": "@my/web"
            }
            """
        #expect(try renamed(before, "@my/web", "@my/site") == after)
        #expect(try renamed(before, "@my/web", "@my/site", profile: "prod") == after)
    }

    @Test func `a mapping with the definition of another name keeps that definition`() throws {
        let before =
            #"{"containers": {"web": {"path": "x"}}, "mapping": {"a": {"container": "web"}, "web": {"cli": []}}}"#
        #expect(try renamed(before, "a", "b") == before.replacing("\"a\"", with: "\"b\""))
        let bare = #"{"containers": {"web": {"path": "x"}}}"#
        #expect(try renamed(bare, "web", "site") == bare.replacing("web", with: "site"))
    }

    @Test(arguments: [
        (#"{"containers": {"a": {"path": "x"}, "b": {"path": "x"}}}"#, "a", "b", "there is a service b already"),
        (#"{"containers": {"a": {"path": "x"}, "@x/b": {"path": "x"}}}"#, "a", "b", "there is a service @x/b already"),
        (#"{"containers": {"a": {"path": "x"}}}"#, "c", "b", "there is no service c"),
        (
            #"{"containers": {"a": {"path": "x"}, "b": {"path": "x"}}, "mapping": {"a": {"container": "b"}}}"#, "a",
            "c",
            "also the name of a definition"
        ),
        (
            #"{"containers": {"a": {"path": "x"}, "b": {"path": "x", "dependencies": ["${A:-a}"]}}}"#, "a", "c",
            "b would not refer to the same services"
        ),
        (
            #"{"containers": {"a": {"path": "x"}, "@x/c": {"path": "x"}, "b": {"path": "x", "dependencies": ["c"]}}}"#,
            "a",
            "@y/c", "b would not refer to the same services"
        ),
    ])
    func `a name that is taken or would mean something else is refused`(
        _ text: String, _ old: String, _ new: String, _ words: String
    ) throws {
        let error = #expect(throws: ConfigError.self) { try renamed(text, old, new) }
        #expect(error?.description.contains(words) == true, "\(String(describing: error))")
        #expect(error?.hint?.isEmpty == false)
    }
}
