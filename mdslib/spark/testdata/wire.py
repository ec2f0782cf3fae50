"""Compares a set of file descriptors, on standard input, with those of the installed PySpark: each message, field and enum of ours
must be there, with the same number, type and cardinality."""
import sys

import pyspark.sql.connect.proto  # registers the messages
from google.protobuf import descriptor_pb2, descriptor_pool

pool = descriptor_pool.Default()
wrong, compared = [], 0


def message(prefix, ours):
    global compared
    name = f"{prefix}.{ours.name}"
    if name == "spark.connect.DataType.Simple":  # stands for the messages of many types, of which we read no field
        return
    theirs = pool.FindMessageTypeByName(name)
    for field in ours.field:
        compared += 1
        other = theirs.fields_by_name.get(field.name)
        if other is None:
            wrong.append(f"{name}.{field.name} is not there")
        elif (other.number, other.type, other.is_repeated) != (field.number, field.type, field.label == field.LABEL_REPEATED):
            wrong.append(f"{name}.{field.name} = {field.number} is {other.number} of type {other.type}")
    for nested in ours.nested_type:
        if not nested.options.map_entry:
            message(name, nested)
    for enum in ours.enum_type:
        for value in enum.value:
            compared += 1
            if theirs.enum_types_by_name[enum.name].values_by_name[value.name].number != value.number:
                wrong.append(f"{name}.{value.name}")


for file in descriptor_pb2.FileDescriptorSet.FromString(sys.stdin.buffer.read()).file:
    for one in file.message_type:
        message(file.package, one)
    service = pool.FindServiceByName(f"{file.package}.{file.service[0].name}")
    for method in file.service[0].method:
        compared += 1
        other = service.methods_by_name[method.name]
        if (other.input_type.full_name, other.output_type.full_name) != (method.input_type[1:], method.output_type[1:]):
            wrong.append(method.name)
print(compared, "compared;", *wrong)
sys.exit(bool(wrong))
