---@meta

--- What model files declare, in the shapes of the operations that create it: each call
--- takes the arguments of that operation, which op.lua describes.
---
--- `renamed_from` says what something was called before; it is for comparisons alone.
---@class moontide.model
model = {}

---@class moontide.Renamed
---@field renamed_from? string  what it was called before

---@class moontide.ModelColumn : moontide.ColumnItem, moontide.Renamed

---@class moontide.ModelTable : moontide.TableItem, moontide.Renamed
---@field [integer] moontide.ModelColumn

--- A table.
---@param name string
---@param table moontide.ModelTable
function model.table(name, table) end

---@class moontide.ModelPartition : moontide.CreatePartitionOptions, moontide.Renamed

--- A partition of a table.
---@param name string
---@param parent string
---@param options moontide.ModelPartition
function model.partition(name, parent, options) end

---@class moontide.ModelSchema : moontide.CreateSchemaOptions, moontide.Renamed

--- A schema.
---@param name string
---@param options? moontide.ModelSchema
function model.schema(name, options) end

--- A label of an enum that was called otherwise.
---@class moontide.ModelLabel : moontide.Renamed
---@field [1] string

---@class moontide.ModelEnum : moontide.CreateEnumOptions, moontide.Renamed

--- An enum type.
---@param name string
---@param labels (string|moontide.ModelLabel)[]
---@param options? moontide.ModelEnum
function model.enum(name, labels, options) end

---@class moontide.ModelDomain : moontide.CreateDomainOptions, moontide.Renamed

--- A domain.
---@param name string
---@param type string
---@param options? moontide.ModelDomain
function model.domain(name, type, options) end

---@class moontide.ModelAttribute : moontide.AttributeItem, moontide.Renamed

---@class moontide.ModelType : moontide.CreateTypeOptions, moontide.Renamed

--- A composite type.
---@param name string
---@param attributes moontide.ModelAttribute[]
---@param options? moontide.ModelType
function model.type(name, attributes, options) end

---@class moontide.ModelRangeType : moontide.CreateRangeTypeOptions, moontide.Renamed

--- A range type.
---@param name string
---@param subtype string
---@param options? moontide.ModelRangeType
function model.range_type(name, subtype, options) end

---@class moontide.ModelSequence : moontide.CreateSequenceOptions, moontide.Renamed

--- A sequence.
---@param name string
---@param options? moontide.ModelSequence
function model.sequence(name, options) end

---@class moontide.ModelView : moontide.ViewOptions, moontide.Renamed

--- A view.
---@param name string
---@param query moontide.SqlText
---@param options? moontide.ModelView
function model.view(name, query, options) end

---@class moontide.ModelMaterializedView : moontide.MaterializedViewOptions, moontide.Renamed

--- A materialized view.
---@param name string
---@param query moontide.SqlText
---@param options? moontide.ModelMaterializedView
function model.materialized_view(name, query, options) end

---@class moontide.ModelTrigger : moontide.TriggerOptions, moontide.Renamed

--- A trigger.
---@param name string
---@param table string
---@param options moontide.ModelTrigger
function model.trigger(name, table, options) end

---@class moontide.ModelRule : moontide.RuleOptions, moontide.Renamed

--- A rule.
---@param name string
---@param table string
---@param options moontide.ModelRule
function model.rule(name, table, options) end

---@class moontide.ModelPolicy : moontide.PolicyOptions, moontide.Renamed

--- A policy.
---@param name string
---@param table string
---@param options? moontide.ModelPolicy
function model.policy(name, table, options) end

-- What has no earlier name is declared just as it is created.
model.aggregate = op.create_aggregate
model.check_constraint = op.create_check_constraint
model.cluster = op.set_cluster
model.comment = op.comment
model.exclude_constraint = op.create_exclude_constraint
model.extension = op.create_extension
model.forced_row_security = op.force_row_security
model.foreign_key = op.create_foreign_key
model.func = op.create_function
model.grant = op.grant
model.index = op.create_index
model.primary_key = op.create_primary_key
model.procedure = op.create_procedure
model.publication = op.create_publication
model.replica_identity = op.set_replica_identity
model.revoke = op.revoke
model.row_security = op.enable_row_security
model.statistics = op.create_statistics
model.unique_constraint = op.create_unique_constraint
