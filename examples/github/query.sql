select
  repository,
  count(*) as events,
  count(distinct sender) as people,
  (select count(*) from issues where issues.repository = activity.repository) as issues,
  (select coalesce(sum(additions), 0) from pull_requests where pull_requests.repository = activity.repository) as lines_added,
  (select count(*) from commits where commits.repository = activity.repository) as commits
from activity
where repository is not null
group by repository
order by events desc, repository
limit 8
