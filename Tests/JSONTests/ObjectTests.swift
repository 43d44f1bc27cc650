import JSON
import Testing

@Suite struct ObjectTests {
    @Test func `members keep their order through every change`() {
        var object: JSONObject = ["b": 1, "a": 2, "c": 3]
        object["a"] = 20
        object["d"] = 4
        object["b"] = nil
        object["absent"] = nil
        #expect(object.keys == ["a", "c", "d"])
        #expect(object.values == [20, 3, 4])
        #expect(JSONValue.object(object).text == #"{"a":20,"c":3,"d":4}"#)
        #expect(object.map(\.key) == ["a", "c", "d"])
        #expect(object.count == 3)
        #expect(!object.isEmpty)
    }

    @Test func `a member may be null, which is not absent`() {
        var object: JSONObject = ["a": nil]
        #expect(object["a"] == .some(.null))
        object["a"] = .some(.null)
        #expect(object.count == 1)
        object["a"] = nil
        #expect(object.isEmpty)
    }

    @Test func `of two members with one name the later value stays at the earlier place`() throws {
        let few = try JSONValue(parsing: #"{"a":1,"b":2,"\u0061":3}"#)
        #expect(few.text == #"{"a":3,"b":2}"#)
        let names = (0..<100).map { "\"k\($0)\":\($0)" }
        let many = try JSONValue(parsing: "{\((names + ["\"k3\":true"]).joined(separator: ","))}")
        #expect(many.object?.count == 100)
        #expect(many["k3"] == true)
        #expect(many.object?.keys[3] == "k3")
    }

    @Test(arguments: [1, 15, 16, 17, 18, 1000, 5000]) func `lookup, change and removal work at every size`(_ count: Int)
    {
        var object = JSONObject((0..<count).map { ("key-\($0)", JSONValue($0)) })
        for place in 0..<count { #expect(object["key-\(place)"]?.int == place) }
        #expect(object["key-\(count)"] == nil)
        object["key-\(count - 1)"] = "changed"
        #expect(object["key-\(count - 1)"] == "changed")
        object["key-0"] = nil
        #expect(object["key-0"] == nil)
        #expect(object.count == count - 1)
        if count > 1 { #expect(object["key-1"] != nil) }
        object["key-0"] = "back"
        #expect(object.keys.last == "key-0")
    }

    @Test func `names that differ only in Unicode normalisation are two names`() throws {
        for filler in [0, 40] {
            var object = JSONObject((0..<filler).map { ("k\($0)", JSONValue($0)) })
            object["\u{e9}"] = 1
            object["e\u{301}"] = 2
            #expect(object.count == filler + 2)
            #expect(object["\u{e9}"] == 1)
            #expect(object["e\u{301}"] == 2)
        }
    }

    @Test func `objects are equal whatever their order`() throws {
        #expect(try JSONValue(parsing: #"{"a":1,"b":[2]}"#) == JSONValue(parsing: #"{"b":[2],"a":1}"#))
        #expect(try JSONValue(parsing: #"{"a":1}"#) != JSONValue(parsing: #"{"a":1,"b":1}"#))
        #expect(try JSONValue(parsing: #"{"a":1}"#) != JSONValue(parsing: #"{"b":1}"#))
    }

    @Test func `copies do not share changes`() {
        let first = JSONObject((0..<30).map { ("k\($0)", JSONValue($0)) })
        var second = first
        second["k1"] = nil
        second["new"] = 1
        #expect(first.count == 30)
        #expect(first["k1"] == 1)
        #expect(first["new"] == nil)
    }
}
