-- 30-day readmission to any hospital
WITH stays AS (
    SELECT patient AS person, admitted, discharged, procedure, diagnosis FROM hospital_a.stays
    UNION ALL
    SELECT l.left_id, b.admitted, b.discharged, b.procedure, b.diagnosis
    FROM hospital_b.stays AS b JOIN same_person AS l ON b.patient = l.right_id
    UNION ALL
    SELECT patient, admitted, discharged, procedure, diagnosis FROM hospital_b.stays
    WHERE patient NOT IN (SELECT right_id FROM same_person)
), following AS (
    SELECT person, procedure, discharged,
           LEAD(admitted) OVER (PARTITION BY person ORDER BY admitted) AS again
    FROM stays
)
SELECT procedure, COUNT(*) AS stays,
       COUNT(*) FILTER (WHERE again - discharged <= 30) AS again_in_30_days
FROM following GROUP BY procedure ORDER BY procedure

-- 30-day readmission, by each hospital's own numbers
WITH stays AS (
    SELECT patient, admitted, discharged, procedure FROM hospital_a.stays
    UNION ALL SELECT patient, admitted, discharged, procedure FROM hospital_b.stays
), following AS (
    SELECT patient, procedure, discharged,
           LEAD(admitted) OVER (PARTITION BY patient ORDER BY admitted) AS again
    FROM stays
)
SELECT procedure, COUNT(*) AS stays,
       COUNT(*) FILTER (WHERE again - discharged <= 30) AS again_in_30_days
FROM following GROUP BY procedure ORDER BY procedure

-- deaths within 90 days, by procedure
WITH stays AS (
    SELECT patient AS person, admitted, discharged, procedure, diagnosis FROM hospital_a.stays
    UNION ALL
    SELECT l.left_id, b.admitted, b.discharged, b.procedure, b.diagnosis
    FROM hospital_b.stays AS b JOIN same_person AS l ON b.patient = l.right_id
    UNION ALL
    SELECT patient, admitted, discharged, procedure, diagnosis FROM hospital_b.stays
    WHERE patient NOT IN (SELECT right_id FROM same_person)
), deaths AS (
    SELECT l.left_id AS person, d.died
    FROM registry.deaths AS d JOIN death_of_a AS l ON d.entry = l.right_id
    UNION ALL
    SELECT l.left_id, d.died FROM registry.deaths AS d JOIN death_of_b AS l ON d.entry = l.right_id
    WHERE l.left_id NOT IN (SELECT right_id FROM same_person)
)
SELECT s.procedure, COUNT(*) AS stays,
       COUNT(*) FILTER (WHERE d.died - s.discharged <= 90) AS died_in_90_days
FROM stays AS s LEFT JOIN deaths AS d ON s.person = d.person
GROUP BY s.procedure ORDER BY s.procedure

-- patients with diabetes and metformin later
WITH stays AS (
    SELECT patient AS person, admitted, discharged, procedure, diagnosis FROM hospital_a.stays
    UNION ALL
    SELECT l.left_id, b.admitted, b.discharged, b.procedure, b.diagnosis
    FROM hospital_b.stays AS b JOIN same_person AS l ON b.patient = l.right_id
    UNION ALL
    SELECT patient, admitted, discharged, procedure, diagnosis FROM hospital_b.stays
    WHERE patient NOT IN (SELECT right_id FROM same_person)
), medicines AS (
    SELECT patient AS person, medicine, day FROM hospital_a.prescriptions
    UNION ALL
    SELECT l.left_id, b.medicine, b.day
    FROM hospital_b.prescriptions AS b JOIN same_person AS l ON b.patient = l.right_id
    UNION ALL
    SELECT patient, medicine, day FROM hospital_b.prescriptions
    WHERE patient NOT IN (SELECT right_id FROM same_person)
)
SELECT COUNT(DISTINCT s.person) AS patients
FROM stays AS s JOIN medicines AS m ON s.person = m.person
WHERE s.diagnosis = 'diabetes' AND m.medicine = 'metformin' AND m.day >= s.admitted

-- comorbidities of patients with diabetes
WITH stays AS (
    SELECT patient AS person, admitted, discharged, procedure, diagnosis FROM hospital_a.stays
    UNION ALL
    SELECT l.left_id, b.admitted, b.discharged, b.procedure, b.diagnosis
    FROM hospital_b.stays AS b JOIN same_person AS l ON b.patient = l.right_id
    UNION ALL
    SELECT patient, admitted, discharged, procedure, diagnosis FROM hospital_b.stays
    WHERE patient NOT IN (SELECT right_id FROM same_person)
)
SELECT diagnosis, COUNT(DISTINCT person) AS patients FROM stays
WHERE person IN (SELECT person FROM stays WHERE diagnosis = 'diabetes')
GROUP BY diagnosis ORDER BY diagnosis

-- patients of hospital A known to B, by age band
SELECT p.age_band, COUNT(*) AS patients, COUNT(l.rung) AS known_to_b
FROM hospital_a.patients AS p LEFT JOIN same_person AS l ON p.patient = l.left_id
GROUP BY p.age_band ORDER BY p.age_band

-- patients of hospital A known to B, by state
SELECT p.state, COUNT(*) AS patients, COUNT(l.rung) AS known_to_b
FROM hospital_a.patients AS p LEFT JOIN same_person AS l ON p.patient = l.left_id
GROUP BY p.state ORDER BY p.state
